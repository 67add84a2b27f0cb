"""The chapters' quizzes, each a file of text: ``quiz("standard_convolution")`` shows that chapter's questions."""

from .reading import quiz

__all__ = ["quiz"]

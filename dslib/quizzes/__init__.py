"""The quizzes of the chapters: a function named after each chapter. Their numbers are computed by :mod:`dslib.cost`."""

from .quiz import Option, Question, Quiz
from .standard_convolution import standard_convolution

__all__ = ["Option", "Question", "Quiz", "standard_convolution"]

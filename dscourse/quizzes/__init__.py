"""The quizzes of the chapters: a function named after each chapter. Their numbers are computed by :mod:`dslib.cost`."""

from .accuracy import accuracy
from .across_frameworks import across_frameworks
from .claims_checked import claims_checked
from .cost_analysis import cost_analysis
from .counting_in_practice import counting_in_practice
from .depthwise_convolution import depthwise_convolution
from .depthwise_separable_convolution import depthwise_separable_convolution
from .ghostnet import ghostnet
from .group_convolution import group_convolution
from .mobilenet_v1 import mobilenet_v1
from .pointwise_convolution import pointwise_convolution
from .quiz import Option, Question, Quiz
from .standard_convolution import standard_convolution
from .theory_and_silicon import theory_and_silicon

__all__ = [
    "Option",
    "Question",
    "Quiz",
    "accuracy",
    "across_frameworks",
    "claims_checked",
    "cost_analysis",
    "counting_in_practice",
    "depthwise_convolution",
    "depthwise_separable_convolution",
    "ghostnet",
    "group_convolution",
    "mobilenet_v1",
    "pointwise_convolution",
    "standard_convolution",
    "theory_and_silicon",
]

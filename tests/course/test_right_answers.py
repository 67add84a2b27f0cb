"""A right answer is right in any usual type, and a right text for Caffe in any way in which it may be written."""

import copy
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from tests.course.test_exercises import EXERCISES, check_of, every_exercise


def over_all(change, value):
    """The value with a change of everything in it that is no container."""
    if isinstance(value, (tuple, list)):
        return type(value)(over_all(change, entry) for entry in value)
    if isinstance(value, dict):
        return {key: over_all(change, entry) for key, entry in value.items()}
    return change(value)


def numbers_as(of_int, of_float, of_bool=lambda value: value):
    kinds = {int: of_int, float: of_float, np.float64: of_float, bool: of_bool}
    return lambda answer: over_all(lambda value: kinds.get(type(value), lambda value: value)(value), answer)


def tensors_as(change):
    return lambda answer: over_all(lambda value: change(value) if isinstance(value, torch.Tensor) else value, answer)


def swapped(answer):
    """Lists for tuples and tuples for lists."""
    if isinstance(answer, (tuple, list)):
        return (list if isinstance(answer, tuple) else tuple)(map(swapped, answer))
    return answer


def as_array(answer):
    """One array for a list of numbers, of words, or of lists of the same length."""
    kinds = {type(entry) for entry in answer} if isinstance(answer, (tuple, list)) else set()
    return np.array(answer) if len(kinds) == 1 and torch.Tensor not in kinds else answer


def as_tensor(answer):
    array = as_array(answer)
    return torch.tensor(array) if isinstance(array, np.ndarray) and array.dtype.kind in "iuf" else answer


IN_OTHER_TYPES = {
    "numpy": numbers_as(np.int64, np.float64, np.bool_),
    "short": numbers_as(lambda value: value, np.float32),
    "tensors": numbers_as(torch.tensor, torch.tensor, torch.tensor),
    "sympy": numbers_as(sympy.Integer, sympy.Float, sympy.sympify),
    "floats": numbers_as(float, float),
    "exact": numbers_as(Fraction, Fraction),
    "decimal": numbers_as(Decimal, Decimal),
    "nearly": numbers_as(lambda value: value * (1 + 1e-15), lambda value: value * (1 + 1e-12)),
    "arrays of numpy": tensors_as(lambda tensor: tensor.detach().numpy()),
    "lists": tensors_as(torch.Tensor.tolist),
    "half": tensors_as(lambda tensor: tensor.float()),
    "parameters": tensors_as(lambda tensor: nn.Parameter(tensor.detach().double())),
    "lists for tuples": swapped,
    "array": as_array,
    "tensor": as_tensor,
    "words of numpy": lambda answer: over_all(
        lambda value: np.str_(value) if isinstance(value, str) else value, answer
    ),
}


@every_exercise
def test_right_answer_is_right_in_every_usual_type(exercise):
    solution = exercise.changed()
    plain = [solution(*copy.deepcopy(case)) for case in exercise.asked]
    for name, other in IN_OTHER_TYPES.items():
        if repr(list(map(other, plain))) != repr(plain):
            told = check_of(exercise)(lambda *case, other=other: other(solution(*case)))
            assert told, f"{name}: {told}"


CAFFE_PAIR = next(exercise for exercise in EXERCISES if exercise.name == "write_caffe_pair")


@pytest.mark.parametrize(
    "old, new",
    [
        ('input: "x"', '\ufeffinput: "x"'),
        ("bias_term: false", "bias_term: False"),
        ("bias_term: false", "bias_term: 0"),
        ("dim: 1 dim: {c} dim: {s} dim: {s}", "dim: [1, {c}, {s}, {s}]"),
        ("input_shape {{ dim: 1 dim: {c} dim: {s} dim: {s} }}", "input_dim: [1, {c}, {s}, {s}]"),
        (
            'input: "x"\ninput_shape {{ dim: 1 dim: {c} dim: {s} dim: {s} }}',
            'layer {{ name: "in" type: "Input" top: "x" input_param {{ shape {{ dim: [1, {c}, {s}, {s}] }} }} }}',
        ),
        ("pad: {p}", "pad_h: {p} pad_w: {p}"),
        ("pad: {p}", "pad: {p} pad: {p}"),
        ("pad: {p}", "pad_t: {p} pad_b: {p} pad_l: {p} pad_r: {p}"),
        ("kernel_size: 1 ", "kernel_h: 1 kernel_w: 1 dilation: 1"),
        ('name: "dw"', "name: 'd' \"w\" # the first half\n"),
        ("num_output: ", "weight_filler {{ type: 'xavier' }} num_output: 0x"),
    ],
)  # fmt: skip
def test_right_text_for_caffe_is_right_however_it_is_written(old, new):
    solution = CAFFE_PAIR.changed()

    def write(c_in, c_out, kernel_size, stride, size):
        text, sizes = solution(c_in, c_out, kernel_size, stride, size), {"c": c_in, "s": size, "p": kernel_size // 2}
        assert old.format(**sizes) in text
        return text.replace(old.format(**sizes), new.format(**sizes))

    told = check_of(CAFFE_PAIR)(write)
    assert told, told

"""The shapes that dslib.counting says itself, against those that torch finds on real tensors."""

import pytest
import torch
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from dslib.counting.prices import aten
from dslib.counting.shapes import RULES, run_without_data, unary, unary_in_place

small = st.integers(1, 3)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data(), st.integers(1, 3))
def test_convolutions(data, dims):
    groups, axes = data.draw(small), st.lists(small, min_size=dims, max_size=dims)
    x = torch.zeros(data.draw(small), groups * data.draw(small), *(6 + data.draw(small) for _ in range(dims)))
    weight = torch.zeros(groups * data.draw(small), x.shape[1] // groups, *data.draw(axes))
    stride, dilation, padding = data.draw(axes), data.draw(axes), [side - 1 for side in data.draw(axes)]
    transposed = data.draw(st.booleans())
    if transposed:
        weight = weight.transpose(0, 1).repeat(groups, 1, *[1] * dims)[: x.shape[1], :2]
    rest = (None, stride, padding, dilation, transposed, [0] * dims, groups)
    try:
        expected = torch.convolution(x, weight, *rest).shape
    except RuntimeError:  # a transposed one may come to no pixels at all
        reject()
    got = run_without_data(aten.convolution.default, (x.to("meta"), weight.to("meta"), *rest), {})
    assert got.shape == expected and got.is_meta and got.dtype == x.dtype


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_joined(axis):
    shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
    for length, shape in enumerate(shapes, start=1):
        shape[axis] = length
    parts = [torch.zeros(shape) for shape in shapes]
    got = run_without_data(aten.cat.default, ([part.to("meta") for part in parts], axis), {})
    assert got.shape == torch.cat(parts, axis).shape


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(RuntimeError):
        run_without_data(aten.cat.default, ([torch.zeros(2, 3, device="meta"), torch.zeros(2, 4, device="meta")],), {})


@pytest.mark.parametrize("shape", [(1, 4, 5, 5), (1, 3, 1, 5)], ids=["other channels", "too small"])
def test_a_convolution_that_does_not_fit_is_refused(shape):
    x, weight = torch.zeros(shape, device="meta"), torch.zeros(2, 3, 3, 3, device="meta")
    with pytest.raises(RuntimeError):
        run_without_data(aten.convolution.default, (x, weight, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1), {})


@pytest.mark.parametrize("packet", [packet for packet in RULES if RULES[packet] in (unary, unary_in_place)], ids=str)
def test_unary(packet):
    x = torch.zeros(2, 3, dtype=torch.float16, device="meta")
    got = run_without_data(packet.default, (x,), {})
    assert got.shape == x.shape and got.dtype == packet.default(torch.zeros(2, 3, dtype=torch.float16)).dtype
    assert (got is x) == (RULES[packet] is unary_in_place)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm(training):
    x, row = torch.rand(2, 3, 4, 4), torch.ones(3)
    for device in ("cpu", "meta"):
        args = [tensor.to(device) for tensor in (x, row, row, row.clone(), row.clone())]
        got = run_without_data(aten.native_batch_norm.default, (*args, training, 0.1, 1e-5), {})
        assert [tuple(tensor.shape) for tensor in got] == [(2, 3, 4, 4), *[(3 * training,)] * 2]


SHAPES = [((2, 3, 4), (2, 3, 4)), ((2, 3, 4), (2, 1, 1)), ((1, 3, 1), (2, 1, 4)), ((2, 3), (3,)), ((0, 3), (1, 3))]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("packet", [aten.add, aten.mul, aten.add_, aten.mul_], ids=str)
def test_sums_and_products(packet, shapes, dtype):
    a, b = torch.zeros(shapes[0]), torch.zeros(shapes[1], dtype=dtype)
    on_meta = a.to("meta"), b.to("meta")
    try:
        expected = packet.Tensor(a, b)
    except RuntimeError:  # the result has no room in the first
        with pytest.raises(RuntimeError):
            run_without_data(packet.Tensor, on_meta, {})
        return
    got = run_without_data(packet.Tensor, on_meta, {})
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    assert (got is on_meta[0]) == (expected is a)


@pytest.mark.parametrize("packet", [aten.add, aten.mul], ids=str)
def test_a_number_as_second_term(packet):
    got = run_without_data(packet.Tensor, (torch.zeros(2, 3, device="meta"), 2.0), {})
    assert got.shape == (2, 3)


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize("axes", [[0], [1, 2], [-1, 0], [], None], ids=str)
def test_mean(axes, keepdim):
    x = torch.zeros(2, 3, 4)
    got = run_without_data(aten.mean.dim, (x.to("meta"), axes, keepdim), {})
    assert got.shape == x.mean(axes, keepdim).shape


@pytest.mark.parametrize("axes", [[3], [0, 0], [0, -3]], ids=str)
def test_a_mean_over_axes_that_are_not_there_is_refused(axes):
    with pytest.raises((IndexError, RuntimeError)):
        run_without_data(aten.mean.dim, (torch.zeros(2, 3, 4, device="meta"), axes), {})


@pytest.mark.parametrize(
    "shapes", [((4,), (2, 3), (3, 4)), ((2, 4), (2, 3), (3, 4)), ((1, 4), (2, 3), (3, 4))], ids=str
)
def test_sum_and_matrix_product(shapes):
    tensors = [torch.zeros(shape) for shape in shapes]
    got = run_without_data(aten.addmm.default, [tensor.to("meta") for tensor in tensors], {})
    assert got.shape == torch.addmm(*tensors).shape


@pytest.mark.parametrize("shapes", [((4,), (2, 3), (2, 4)), ((3,), (2, 3), (3, 4))], ids=str)
def test_matrices_that_do_not_fit_are_refused(shapes):
    with pytest.raises(RuntimeError):
        run_without_data(aten.addmm.default, [torch.zeros(shape, device="meta") for shape in shapes], {})


@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_softmax(dtype):
    x = torch.zeros(2, 3, device="meta")
    got = run_without_data(aten._safe_softmax.default, (x, 1, dtype), {})
    assert got.shape == (2, 3) and got.dtype == (dtype or torch.float32)


REFUSED = {"bias": (5, 1, 0), "stride": (4, 0, 0), "padding": (4, 1, -1)}


@pytest.mark.parametrize("bias, stride, padding", REFUSED.values(), ids=REFUSED)
def test_arguments_of_a_convolution_that_torch_refuses_go_to_torch(bias, stride, padding):
    x, weight, bias = (torch.zeros(shape, device="meta") for shape in [(1, 3, 5, 5), (4, 3, 2, 2), (bias,)])
    args = (x, weight, bias, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1)
    assert RULES[aten.convolution](*args) is None


@pytest.mark.parametrize("axis", [2, -3])
def test_a_softmax_over_an_axis_that_is_not_there_goes_to_torch(axis):
    assert RULES[aten._softmax](torch.zeros(2, 3, device="meta"), axis, False) is None

"""What count() takes: sizes and tensors, with and without data; dynamic models; what it refuses, with the values."""

import tracemalloc

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib import models
from dslib.counting import count

# ---- without data


def test_a_network_of_a_trillion_parameters():
    side = 10**6
    model = nn.Sequential(nn.Linear(side, side, device="meta"), nn.ReLU(), nn.Linear(side, 10, device="meta"))
    report = count(model, input_size=(3, side))
    assert report.params == side**2 + side + 10 * side + 10
    assert report.macs == 3 * (side**2 + 10 * side)
    assert count(model, input_size=(3, side), backward=True).macs == 3 * report.macs


def test_a_convolution_beyond_64_bits():
    side = 2**24
    report = count(nn.Conv2d(1024, 1024, 3, padding=1, device="meta"), input_size=(1, 1024, side, side))
    assert report.macs == 1024 * side**2 * 1024 * 9
    assert report.macs > 2**63


def test_input_size_allocates_nothing():
    """Python's own memory is measured; torch's would fail at once: 4 TB of activations."""
    model = nn.Sequential(nn.Conv2d(3, 10, 1), nn.BatchNorm2d(10), nn.ReLU(), nn.Conv2d(10, 10, 3))
    size = (10**4, 3, 3162, 3162)
    tracemalloc.start()
    report = count(model, input_size=size, backward=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.macs == 3 * (10**4 * 3162**2 * 30 + 10**4 * 3160**2 * 900)
    assert peak < 5 * 2**20


def test_tensors_that_the_model_makes_need_no_memory_either():
    def function(x):
        positions = torch.arange(x.shape[1], dtype=x.dtype)
        table = torch.zeros(x.shape[1], 10**7) + torch.ones(10**7) + torch.tensor([1.0]) + torch.full((10**7,), 3.0)
        return (x * positions) @ table @ torch.rand(10**7, 4)

    assert count(function, input_size=(8, 10**7)).macs == 8 * 10**7 * 10**7 + 8 * 10**7 * 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_input_size_takes_the_model_s_type(dtype):
    seen = []

    class Linear(nn.Linear):
        def forward(self, x):
            seen.append((x.dtype, x.device.type, x.requires_grad, tuple(x.shape)))
            return x @ self.weight.mT

    model = Linear(4, 5, dtype=dtype)
    assert count(model, input_size=(2, 4)).macs == 40
    count(model, input_size=[2, 4], backward=True)
    dtype = dtype if dtype.is_floating_point else torch.float32
    assert seen == [(dtype, "meta", False, (2, 4)), (dtype, "meta", True, (2, 4))]


def test_input_size_takes_the_default_type_for_a_function():
    seen = []
    for dtype in (torch.float64, torch.float32):
        torch.set_default_dtype(dtype)
        try:
            count(lambda x: seen.append(x.dtype), input_size=(2, 4))
        finally:
            torch.set_default_dtype(torch.float32)
    assert seen == [torch.float64, torch.float32]


@pytest.mark.parametrize(
    "size", [(1, 3, 7, 6), [1, 3, 7, 6], torch.Size([1, 3, 7, 6]), [(1, 3, 7, 6)], ((1, 3, 7, 6),)]
)
def test_a_shape_in_any_form(size):
    assert count(nn.Conv2d(3, 5, 2), input_size=size).macs == 1800


def test_several_inputs():
    layer = nn.Bilinear(3, 4, 5)
    for kinds in ({"input_size": [(2, 3), (3, 4)]}, {"input_size": ([2, 3], (3, 4))}):
        assert count(torch.matmul, **kinds).macs == 24
    assert count(torch.matmul, torch.zeros(2, 3), torch.zeros(3, 4)).macs == 24
    assert count(torch.baddbmm, input_size=[(2, 3, 5), (2, 3, 4), (2, 4, 5)]).macs == 120
    assert count(layer, input_size=[(2, 3), (2, 4)]).params == 65


def test_inputs_that_are_no_tensors():
    def function(x, times, flag, nothing):
        assert nothing is None
        for _ in range(times):
            x = F.linear(x, torch.zeros(4, 4)) if flag else x
        return x

    assert count(function, torch.zeros(2, 4), 3, True, None).macs == 3 * 32
    assert count(function, torch.zeros(2, 4), 3, False, None).macs == 0


def test_whole_numbers_in_a_table_are_counted_with_tensors():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 5))
    for device in ("cpu", "meta"):
        report = count(model, torch.zeros(2, 3, dtype=torch.long, device=device))
        assert (report.macs, report.params, report.uncounted) == (6 * 20, 40 + 25, ())


def test_real_and_meta_say_the_same():
    model = models.ghostnet(0.5).eval()
    reports = [
        count(model, input_size=(2, 3, 64, 48)),
        count(model, torch.zeros(2, 3, 64, 48)),
        count(model, torch.zeros(2, 3, 64, 48, device="meta")),
    ]
    assert reports[0] == reports[1] == reports[2]


def test_real_and_meta_say_the_same_of_forward_and_backward():
    model = models.mobilenet_v1(0.25).train()
    real, meta = (
        count(model, torch.zeros(2, 3, 64, 48, requires_grad=True), backward=True),
        count(model, input_size=(2, 3, 64, 48), backward=True),
    )
    assert (real.rows, real.params) == (meta.rows, meta.params)


def permuted_activation(x):
    return F.gelu(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).view(2, 168) @ torch.zeros(168, 3)


def joined_in_place(x):
    out = torch.empty(0)
    torch.cat([x, x], 3, out=out)
    return out @ torch.zeros(8, 3)


@pytest.mark.parametrize(
    "function, macs",
    [(permuted_activation, 2 * 168 * 3), (joined_in_place, 84 * 8 * 3)],
)
def test_memory_is_laid_out_as_with_data(function, macs):
    assert count(function, torch.zeros(2, 7, 6, 4)).macs == macs
    assert count(function, input_size=(2, 7, 6, 4)).macs == macs


# ---- dynamic


class Dynamic(nn.Module):
    def __init__(self):
        super().__init__()
        self.small, self.large = nn.Linear(4, 5), nn.Linear(4, 50)

    def forward(self, x):
        return self.small(x) if x.sum() > 0 else self.large(x)


def test_control_flow_counts_what_ran():
    model = Dynamic()
    for value, macs, where in ((1.0, 40, "small"), (-1.0, 400, "large")):
        report = count(model, torch.full((2, 4), value))
        assert (report.macs, [row.where for row in report.rows]) == (macs, [where])
        assert report.params == 25 + 250
    by_shape = count(lambda x: torch.mm(x, x) if len(x) < 5 else torch.mm(x, x[:, :1]), input_size=(6, 6))
    assert by_shape.macs == 36


def test_shapes_that_depend_on_values_count_what_ran():
    def function(x):
        return F.linear(x[x[:, 0] > 0], torch.zeros(5, 4))

    x = torch.tensor([[1.0], [-1.0], [1.0]]).expand(3, 4)
    assert count(function, x).macs == 2 * 4 * 5


DATA = torch.zeros(2, 4)
NEED_VALUES = {
    "control flow": lambda x: x if x.sum() > 0 else -x,
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
    "masked_select": lambda x: x.masked_select(x > 0),
    "unique": lambda x: x.unique(),
    "item": lambda x: x.sum().item(),
    "int": lambda x: x[int(x.argmax())],
    "float": lambda x: float(x.sum()),
    "list": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "repeats": lambda x: x.repeat_interleave(x.flatten().long()),
    "a tensor with data": lambda x: x + DATA,
}


@pytest.mark.parametrize("function", NEED_VALUES.values(), ids=NEED_VALUES)
def test_what_needs_values_says_to_pass_real_tensors(function):
    with pytest.raises(ValueError, match="needs values where there are shapes only: .*pass real tensors instead"):
        count(function, input_size=(2, 4))
    with pytest.raises(ValueError, match="pass real tensors instead"):
        count(function, torch.zeros(2, 4, device="meta"))


@pytest.mark.parametrize("name", ["control flow", "mask", "item", "unique", "list", "numpy", "a tensor with data"])
def test_real_tensors_do(name):
    assert count(NEED_VALUES[name], torch.ones(2, 4)).macs == 0


# ---- refused


@pytest.mark.parametrize("model", [None, 3, "resnet", [nn.Linear(3, 4)], torch.zeros(3)])
def test_what_cannot_be_called_is_refused(model):
    with pytest.raises(ValueError) as error:
        count(model, torch.zeros(3))
    assert "model must be a torch module or a function" in str(error.value) and repr(model) in str(error.value)


def test_inputs_are_given_once():
    with pytest.raises(ValueError, match="one of the two, got 0 and None"):
        count(nn.Linear(3, 4))
    with pytest.raises(ValueError, match=r"one of the two, got 2 and \(1, 3\)"):
        count(nn.Linear(3, 4), torch.zeros(3), torch.zeros(3), input_size=(1, 3))


SIZES = [
    (),
    [],
    0,
    -1,
    (0, 3),
    (3, -1),
    (2.0, 3),
    (True, 3),
    "3",
    "1,3",
    (None, 3),
    [()],
    [(2, 3), (0, 3)],
    [(2, 3), 4],
]


@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError) as error:
        count(lambda *x: None, input_size=size)
    assert "input_size must be a shape of whole, positive sizes" in str(error.value) and str(size) in str(error.value)


def test_parameters_without_a_shape_are_refused_by_name():
    model = nn.Sequential(nn.Linear(3, 4), nn.LazyLinear(5))
    with pytest.raises(ValueError, match=r"1\.weight has no shape yet"):
        count(model, input_size=(1, 3))
    model(torch.zeros(1, 3))
    assert count(model, input_size=(1, 3)).macs == 12 + 20


@pytest.mark.parametrize("arguments", [{"input_size": (1, 4, 7, 6)}, {}])
def test_what_the_model_refuses_is_passed_on(arguments):
    with pytest.raises(RuntimeError, match="channel"):
        count(nn.Conv2d(3, 5, 2), *([] if arguments else [torch.zeros(1, 4, 7, 6)]), **arguments)

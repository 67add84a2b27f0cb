"""What count() takes: sizes and tensors, with and without data; dynamic models; what it refuses, with the values."""

import collections
import functools
import tracemalloc
from dataclasses import dataclass, make_dataclass

import numpy as np
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


@pytest.mark.parametrize("function, macs", [(permuted_activation, 2 * 168 * 3), (joined_in_place, 84 * 8 * 3)])
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
}


@pytest.mark.parametrize("name", NEED_VALUES)
def test_what_needs_values_says_to_pass_real_tensors(name):
    with pytest.raises(ValueError, match="needs values where there are shapes only: .*pass real tensors instead"):
        count(NEED_VALUES[name], input_size=(2, 4))
    assert count(lambda x: NEED_VALUES[name](x.detach()), torch.ones(2, 4)).macs == 0


class Constants(nn.Module):
    """As detectors do: strides in a buffer, tensors made from Python's numbers, read on the way."""

    def __init__(self):
        super().__init__()
        self.conv, self.strides = nn.Conv2d(3, 8, 3), torch.tensor([8.0, 16.0, 32.0])
        self.register_buffer("steps", torch.tensor(2))

    def forward(self, x):
        maps = [torch.full((int(x.shape[-1] // stride), 1), stride, device=x.device) for stride in self.strides]
        assert [len(one) for one in maps] == [8, 4, 2] and self.strides.tolist() == [8, 16, 32]
        line = torch.zeros(4)
        line[1:3] = torch.arange(2, device=x.device) + 1
        assert line.cpu().numpy().tolist() == [0, 1, 2, 0] and (line > 0).nonzero().flatten().tolist() == [1, 2]
        self.steps += 1
        for _ in range(self.steps.item()):
            y = self.conv(x)
        line[0] = y.mean()  # from here on nobody knows
        return line.max().item() if self.training else line


def test_constants_keep_their_values_on_the_meta_device():
    model = Constants()
    assert count(model.eval(), input_size=(1, 3, 64, 64)).macs == 3 * 8 * 62 * 62 * 27
    assert model.steps == 2
    with pytest.raises(ValueError, match="needs values where there are shapes only"):
        count(model.train(), input_size=(1, 3, 64, 64))


def test_tensors_with_data_beside_shapes():
    data = torch.ones(4, 5)
    assert count(lambda x, y: x @ data + y, torch.zeros(2, 4, device="meta"), torch.ones(5)).macs == 40
    assert count(nn.Linear(4, 5, device="meta"), torch.zeros(2, 4)).macs == 40


# ---- any kind of input


@dataclass(slots=True)
class Slotted:
    x: torch.Tensor
    name: str = "output"


BATCHES = {
    "dict": lambda x: {"x": x, "more": [(x, "name")]},
    "defaultdict": lambda x: collections.defaultdict(list, x=x),
    "ordered": lambda x: collections.OrderedDict(x=x),
    "slots": Slotted,
    "dataclass": make_dataclass("Batch", ["x"]),
    "named": collections.namedtuple("Batch", ["x"]),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("wrap", BATCHES.values(), ids=BATCHES)
def test_a_batch_of_any_kind(wrap, device):
    def function(batch):
        x = batch["x"] if isinstance(batch, dict) else batch.x
        return x.add_(1) @ torch.zeros(4, 5, device=x.device)

    x = torch.ones(6, 4, device=device)
    report = count(function, wrap(x), per_image=True)
    assert (report.macs, report.images, x._version) == (20, 6, 0)


def test_one_tensor_given_twice_stays_one():
    x = torch.zeros(4, 4)
    for y in (x, x.to("meta")):
        assert count(lambda a, b: a @ b if a is b else a, y, y).macs == 64
        assert count(lambda a, b: a @ b[0] if a is b[0] else a, y, [y]).macs == 64
        assert count(lambda a, b: a @ b if a is b else a, y, y.clone()).macs == 0


def test_arguments_in_a_partial():
    def product(a, b, times):
        return (a @ b).repeat(times, 1) @ b

    assert count(functools.partial(product, times=3), input_size=[(2, 4), (4, 4)]).macs == 32 + 3 * 32
    model = nn.Sequential(nn.Linear(4, 5))
    for device in ("cpu", "meta"):
        report = count(functools.partial(model, input=torch.zeros(2, 4, device=device)))
        assert [(row.where, row.macs) for row in report.rows] == [("0", 40)]


def test_a_model_without_inputs():
    class Prior(nn.Linear):
        def forward(self):
            return super().forward(self.weight)

    assert count(Prior(4, 4)).macs == 64


@pytest.mark.parametrize("shape", [(np.int64(2), np.int32(4)), np.array([2, 4]), [np.array([2, 4])]], ids=repr)
def test_numpy_s_whole_numbers(shape):
    assert count(nn.Linear(4, 5), input_size=shape, backward=1).macs == 3 * 40


# ---- refused


def checkpoint():
    return {"state_dict": nn.Linear(300, 300).state_dict()}


NO_MODELS = {
    "None": (None, "None"),
    "a number": (3, "3"),
    "a list": ([nn.Linear(3, 4)], r"\[Linear\(in_features=3"),
    "a class": (nn.Linear, "<class"),
    "a large tensor": (torch.zeros(1000), r"tensor\(\[.*\.\.\."),
    "a state dict": (nn.Linear(3, 4).state_dict(), "an? OrderedDict of 2 entries: .*load it, and pass the model"),
    "a checkpoint": (checkpoint(), "a dict of 1 entries: .*build the model, load it, and pass the model"),
}


@pytest.mark.parametrize("model, words", NO_MODELS.values(), ids=NO_MODELS)
def test_what_is_no_model_is_refused_in_a_line(model, words):
    with pytest.raises(ValueError, match=f"model must be a torch module or a function, got {words}") as error:
        count(model, torch.zeros(3))
    assert len(str(error.value)) < 250 and "\n" not in str(error.value)


async def later(x):
    return x @ x


def one_by_one(x):
    yield x @ x


@pytest.mark.parametrize("function", [one_by_one, later, lambda x: map(torch.mm, [x], [x])])
def test_what_has_not_run_is_refused(function):
    with pytest.raises(ValueError, match="nothing ran: (generator|coroutine|map) is returned"):
        count(function, torch.zeros(3, 3))


WORDS = {
    "nothing given": (lambda: count(nn.Linear(3, 4)), "pass example inputs or input_size"),
    "given twice": (lambda: count(nn.Linear(3, 4), torch.zeros(3), input_size=(1, 3)), r"not both, got 1 and \(1, 3\)"),
    "a shape": (lambda: count(nn.Conv2d(3, 5, 2), (1, 3, 8, 8)), r"did you mean input_size=\(1, 3, 8, 8\)\?"),
    "sides": (lambda: count(nn.Conv2d(3, 5, 2), 1, 3, 8, 8), r"did you mean input_size=\(1, 3, 8, 8\)\?"),
    "too many numbers": (lambda: count(nn.ReLU(), input_size=(2**40, 2**40)), "more numbers than torch can address"),
}


@pytest.mark.parametrize("wrong, words", WORDS.values(), ids=WORDS)
def test_inputs_that_do_not_fit_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()


SIZES = [(), [], 0, -1, (0, 3), (2.0, 3), (True, 3), "3", (None, 3), [()], [(2, 3), (0, 3)], [(2, 3), 4]]


@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError) as error:
        count(lambda *x: None, input_size=size)
    assert "input_size must be a shape of whole, positive sizes" in str(error.value) and str(size) in str(error.value)


CHANNELS = {
    "convolution": (nn.Conv2d(3, 5, 2), (1, 4, 7, 6), r"1: convolution of 1x4x7x6, .* takes 3 channels and gets 4"),
    "grouped": (nn.Conv2d(6, 8, 2, groups=2), (1, 4, 7, 6), "1: convolution .* takes 6 channels and gets 4"),
    "transposed": (nn.ConvTranspose1d(3, 5, 2), (1, 4, 7), "1: convolution of 1x4x7, .* takes 3 channels and gets 4"),
    "linear": (nn.Linear(3, 4), (2, 5), "1: addmm of 4, 2x5, 3x4: "),
}


@pytest.mark.parametrize("kind", ["input_size", "real"])
@pytest.mark.parametrize("layer, size, words", CHANNELS.values(), ids=CHANNELS)
def test_maps_that_do_not_fit_a_layer_are_told_with_its_name(layer, size, words, kind):
    given = {"input_size": size} if kind == "input_size" else {}
    with pytest.raises(ValueError, match=words):
        count(nn.Sequential(nn.Identity(), layer), *([] if given else [torch.zeros(size)]), **given)


@pytest.mark.parametrize("error", [RuntimeError("meta-learning rate too high"), KeyError("missing"), TypeError("meta")])
def test_the_model_s_own_errors_are_passed_on(error):
    def function(x):
        raise error

    with pytest.raises(type(error)) as raised:
        count(function, input_size=(2, 3))
    assert raised.value is error

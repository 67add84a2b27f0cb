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

from dslib.counting import count

zeros, LINEAR = torch.zeros, nn.Linear(4, 5)  # 40 MACs for two rows

# ---- without data


def test_sizes_beyond_memory_and_64_bits():
    """Python's own memory is measured; torch's would fail at once: 4 TB of activations, a trillion parameters."""
    side = 10**6
    model = nn.Sequential(nn.Linear(side, side, device="meta"), nn.ReLU(), nn.Linear(side, 10, device="meta"))
    report = count(model, input_size=(3, side), backward=True)
    assert (report.macs, report.params) == (9 * (side**2 + 10 * side), side**2 + side + 10 * side + 10)
    side = 2**24
    report = count(nn.Conv2d(1024, 1024, 3, padding=1, device="meta"), input_size=(1, 1024, side, side))
    assert report.macs == 1024 * side**2 * 1024 * 9 > 2**63
    model = nn.Sequential(nn.Conv2d(3, 10, 1), nn.BatchNorm2d(10), nn.ReLU(), nn.Conv2d(10, 10, 3))
    tracemalloc.start()
    report = count(model, input_size=(10**4, 3, 3162, 3162), backward=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.macs == 3 * (10**4 * 3162**2 * 30 + 10**4 * 3160**2 * 900)
    assert peak < 5 * 2**20


def test_tensors_that_the_model_makes_need_no_memory_either():
    def function(x):
        positions = torch.arange(x.shape[1], dtype=x.dtype)
        table = zeros(x.shape[1], 10**7) + torch.ones(10**7) + torch.tensor([1.0]) + torch.full((10**7,), 3.0)
        return (x * positions) @ table @ torch.rand(10**7, 4)

    assert count(function, input_size=(8, 10**7)).macs == 8 * 10**7 * 10**7 + 8 * 10**7 * 4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_input_size_takes_the_model_s_type_and_for_a_function_the_default(dtype):
    seen, model = [], nn.Linear(4, 5, dtype=dtype)
    model.forward = lambda x: seen.append((x.dtype, x.device.type, x.requires_grad, tuple(x.shape))) or x
    count(model, input_size=(2, 4))
    count(model, input_size=[2, 4], backward=True)
    assert seen == [(dtype, "meta", False, (2, 4)), (dtype, "meta", True, (2, 4))]
    if dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        try:
            count(lambda x: seen.append(x.dtype), input_size=(2, 4))
        finally:
            torch.set_default_dtype(torch.float32)
        assert seen[-1] == dtype


SHAPES = [(2, 4), [2, 4], torch.Size([2, 4]), [(2, 4)], ((2, 4),), (np.int64(2), np.int32(4)), np.array([2, 4])]


@pytest.mark.parametrize("size", [*SHAPES, [np.array([2, 4])]], ids=repr)
def test_a_shape_in_any_form(size):
    assert count(LINEAR, input_size=size, backward=1).macs == 3 * 40


def test_several_inputs():
    for size in ([(2, 3), (3, 4)], ([2, 3], (3, 4))):
        assert count(torch.matmul, input_size=size).macs == 24


def joined_in_place(x):
    out = torch.empty(0)
    torch.cat([x, x], 3, out=out)
    return out @ zeros(8, 3)


def permuted_activation(x):
    F.gelu(x.reshape(2, 4, 7, 6))  # of the same shape, and laid out otherwise
    return F.gelu(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).view(2, 168) @ zeros(168, 3)


@pytest.mark.parametrize("function, macs", [(permuted_activation, 2 * 168 * 3), (joined_in_place, 84 * 8 * 3)])
def test_memory_is_laid_out_as_with_data(function, macs):
    assert count(function, zeros(2, 7, 6, 4)).macs == count(function, input_size=(2, 7, 6, 4)).macs == macs


# ---- dynamic


def test_control_flow_counts_what_ran():
    small, large = nn.Linear(4, 5), nn.Linear(4, 50)
    for value, macs in ((1.0, 40), (-1.0, 400)):
        assert count(lambda x: (small if x.sum() > 0 else large)(x), torch.full((2, 4), value)).macs == macs
    by_shape = count(lambda x: torch.mm(x, x) if len(x) < 5 else torch.mm(x, x[:, :1]), input_size=(6, 6))
    assert by_shape.macs == 36
    x = torch.tensor([[1.0], [-1.0], [1.0]]).expand(3, 4)
    assert count(lambda x: LINEAR(x[x[:, 0] > 0]), x).macs == 40


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


@pytest.mark.parametrize("function", NEED_VALUES.values(), ids=NEED_VALUES)
def test_what_needs_values_says_to_pass_real_tensors(function):
    with pytest.raises(ValueError, match="needs values where there are shapes only: .*pass real tensors instead"):
        count(function, input_size=(2, 4))
    assert count(function, torch.ones(2, 4)).macs == 0


class Constants(nn.Module):
    """As detectors do: strides in a buffer, tensors made from Python's numbers, read on the way."""

    def __init__(self):
        super().__init__()
        self.conv, self.strides = nn.Conv2d(3, 8, 3), torch.tensor([8.0, 16.0, 32.0])
        self.register_buffer("steps", torch.tensor(2))

    def forward(self, x):
        maps = [torch.full((int(x.shape[-1] // stride), 1), stride, device=x.device) for stride in self.strides]
        assert [len(one) for one in maps] == [8, 4, 2] and self.strides.tolist() == [8, 16, 32]
        line = zeros(4)
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
    assert count(lambda x, y: x @ data + y, zeros(2, 4, device="meta"), torch.ones(5)).macs == 40
    assert count(nn.Linear(4, 5, device="meta"), zeros(2, 4)).macs == 40


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
        return x.add_(1) @ zeros(4, 5, device=x.device)

    x = torch.ones(6, 4, device=device)
    report = count(function, wrap(x), per_image=True)
    assert (report.macs, report.images, x._version) == (20, 6, 0)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_one_tensor_given_twice_stays_one(device):
    x = zeros(4, 4, device=device)
    for given, macs in (([x, x], 64), ([x, [x]], 64), ([x, x.clone()], 0)):
        assert count(lambda a, b: a @ a if a is (b[0] if isinstance(b, list) else b) else a, *given).macs == macs


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_arguments_in_a_partial_and_none(device):
    product = functools.partial(lambda a, b, times: (a @ b).repeat(times, 1) @ b, times=3)
    assert count(product, zeros(2, 4, device=device), zeros(4, 4, device=device)).macs == 32 + 3 * 32
    report = count(functools.partial(nn.Sequential(LINEAR), input=zeros(2, 4, device=device)))
    assert [(row.where, row.macs) for row in report.rows] == [("0", 40)]
    prior = type("Prior", (nn.Linear,), {"forward": lambda self: self.weight @ self.weight})
    assert count(prior(4, 4, device=device)).macs == 64


def test_per_image_divides_by_the_batch():
    model = nn.Sequential(nn.Conv2d(3, 5, 2), nn.Flatten(), nn.Linear(150, 4))
    report = count(model, zeros(6, 3, 7, 6), per_image=True)
    assert [row.macs for row in report.rows] == [5 * (6 * 5) * 12, 150 * 4]
    assert (report.macs, report.images, report.params) == (1800 + 600, 6, 65 + 604)
    both = count(model, input_size=(6, 3, 7, 6), backward=True, per_image=True)
    assert (both.macs, both.images) == (3 * 2400, 6)


# ---- refused


async def later(x):
    return x @ x


def one_by_one(x):
    yield x @ x


NO_MODEL = "model must be a torch module or a function, got"
SIZES = [(), [], 0, -1, (0, 3), (2.0, 3), (True, 3), "3", (None, 3), [()], [(2, 3), (0, 3)], [(2, 3), 4]]
IMAGE, DID_YOU_MEAN = (1, 3, 8, 8), r"did you mean input_size=\(1, 3, 8, 8\)\?"
CHANNELS = r"1: convolution of 1x4x\S*, .* takes {} channels and gets 4"
# {name: (model, inputs or a size, what is said)}
REFUSED = {
    "None": (None, [zeros(3)], f"{NO_MODEL} None"),
    "a number": (3, [zeros(3)], f"{NO_MODEL} 3"),
    "a list": ([LINEAR], [zeros(3)], rf"{NO_MODEL} \[Linear\(in_features=4"),
    "a class": (nn.Linear, [zeros(3)], f"{NO_MODEL} <class"),
    "a large tensor": (zeros(1000), [zeros(3)], rf"{NO_MODEL} tensor\(\[.*\.\.\."),
    "a state dict": (LINEAR.state_dict(), [zeros(3)], f"{NO_MODEL} an? OrderedDict of 2 entries: .*load it, and pass"),
    "a checkpoint": ({"state_dict": nn.Linear(300, 300).state_dict()}, [zeros(3)], f"{NO_MODEL} a dict of 1 entries: "),
    "a generator": (one_by_one, [zeros(3, 3)], "nothing ran: generator is returned"),
    "a coroutine": (later, [zeros(3, 3)], "nothing ran: coroutine is returned"),
    "an iterator": (lambda x: map(torch.mm, [x], [x]), [zeros(3, 3)], "nothing ran: map is returned"),
    "nothing given": (LINEAR, [], "pass example inputs or input_size"),
    "a shape": (nn.Conv2d(3, 5, 2), [IMAGE], DID_YOU_MEAN),
    "sides": (nn.Conv2d(3, 5, 2), [*IMAGE], DID_YOU_MEAN),
    "too many numbers": (nn.ReLU(), {"input_size": (2**40, 2**40)}, "more numbers than torch can address"),
    "convolution": (nn.Conv2d(3, 5, 2), (1, 4, 7, 6), CHANNELS.format(3)),
    "grouped": (nn.Conv2d(6, 8, 2, groups=2), (1, 4, 7, 6), CHANNELS.format(6)),
    "transposed": (nn.ConvTranspose1d(3, 5, 2), (1, 4, 7), CHANNELS.format(3)),
    "linear": (nn.Linear(3, 4), (2, 5), "1: addmm of 4, 2x5, 3x4: "),
    "not a multiple": (lambda x: x[:1] @ zeros(4, 5), [zeros(3, 4)], "do not divide by a batch of 3"),
    "unbatched": (nn.Conv2d(3, 8, 3), [zeros(3, 8, 8)], "do not divide by a batch of 3: pass one image"),
    "a vector": (LINEAR, [zeros(4)], "needs an input with an axis of images"),
    "empty": (LINEAR, [zeros(0, 4)], r"got a batch of none: \(0, 4\)"),
    "no tensor": (lambda n: zeros(n, n) @ zeros(n), [3], "needs an input with an axis of images"),
}


@pytest.mark.parametrize("model, given, words", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_a_line(model, given, words):
    per_image = "images" in words or "batch" in words
    if isinstance(given, tuple):  # a layer's input: refused with its name, with and without data
        model, runs = nn.Sequential(nn.Identity(), model), [((), {"input_size": given}), ([zeros(given)], {})]
    else:
        runs = [((), given) if isinstance(given, dict) else (given, {})]
    for inputs, options in runs:
        with pytest.raises(ValueError, match=words) as error:
            count(model, *inputs, **options, per_image=int(per_image))
        assert len(str(error.value)) < 300 and "\n" not in str(error.value)


@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_sizes_that_do_not_fit_are_refused(size):
    with pytest.raises(ValueError) as error:
        count(lambda *x: None, input_size=size)
    assert "input_size must be a shape of whole, positive sizes" in str(error.value) and str(size) in str(error.value)


def test_inputs_and_a_size_are_refused():
    with pytest.raises(ValueError, match=r"not both, got 1 and \(1, 3\)"):
        count(LINEAR, zeros(3), input_size=(1, 3))


LAYERS = {
    "batch norm": (nn.BatchNorm2d(8), (1, 3, 4, 4), "should contain 3 elements not 8"),
    "group norm": (nn.GroupNorm(2, 8), (1, 4, 4, 4), r"weight of shape \[8\] and input of shape \[1, 4, 4, 4\]"),
    "LSTM": (nn.LSTM(4, 5), (2, 3, 9), "Expected 4, got 9"),
    "axes": (nn.Conv2d(3, 4, 3), (8, 8), r"input of size: \[8, 8\]"),
}


@pytest.mark.parametrize("real", [False, True], ids=["shapes", "real"])
@pytest.mark.parametrize("layer, size, words", LAYERS.values(), ids=LAYERS)
def test_a_layer_that_does_not_fit_is_named(layer, size, words, real):
    model = nn.Sequential(nn.Identity(), nn.Sequential(layer.eval()))
    with pytest.raises(ValueError, match=rf"^1\.0: .*{words}"):
        count(model, torch.ones(size)) if real else count(model, input_size=size)

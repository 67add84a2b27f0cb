"""What a model does past its own tensors: how it is copied, what it writes to, which errors it raises."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode_stack

from dslib.counting import count

BOTH = pytest.mark.parametrize("real", [False, True], ids=["shapes", "real"])


class Slots(nn.Linear):
    __slots__ = ("scale",)

    def __init__(self):
        super().__init__(8, 8, bias=False)
        self.scale = [torch.ones(8)]

    def forward(self, x):
        return super().forward(x) * self.scale[0].mul_(2)


class Drops(nn.Linear):
    """Its state is without what forward needs."""

    def __init__(self):
        super().__init__(8, 8, bias=False)
        self.cache = {"scale": torch.ones(8)}

    def __getstate__(self):
        return {**vars(self), "cache": None}

    def forward(self, x):
        return super().forward(x) * self.cache["scale"].mul_(2)


class NoState(Drops):
    def __getstate__(self):
        raise RuntimeError("this is never saved")


class Delegates(nn.Module):
    """Asks the layer inside for all that it has not, also before there is one."""

    def __init__(self):
        super().__init__()
        self.cache, self.inner = [torch.ones(8)], nn.Linear(8, 8, bias=False)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.inner, name)

    def forward(self, x):
        return self.inner(x) * self.cache[0].mul_(2)


def nested():
    model = nn.Linear(8, 8, bias=False)
    for _ in range(120):
        model = nn.Sequential(model)
    return model


@BOTH
@pytest.mark.parametrize("make", [Slots, Drops, NoState, Delegates, nested])
def test_a_module_is_copied_by_its_attributes(make, real):
    model = nn.Sequential(make())
    report = count(model, torch.ones(2, 8)) if real else count(model, input_size=(2, 8))
    assert (report.macs, report.params, report.uncounted) == (2 * 64, 64, ())
    held = getattr(model[0], "scale", None) or getattr(model[0], "cache", [torch.ones(8)])
    assert torch.equal(held["scale"] if isinstance(held, dict) else held[0], torch.ones(8))


class Passes(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def run_norm(x):
    F.batch_norm(torch.ones(2, 3), OUTSIDE[0], OUTSIDE[1], training=True)


OUTSIDE = [torch.zeros(3), torch.ones(3), torch.full((3, 3), 2.0)]
WRITES = {
    "an item": lambda x: OUTSIDE[2][0].fill_(5),
    "a view of a view": lambda x: OUTSIDE[2].t()[None].mul_(3),
    "data": lambda x: OUTSIDE[2].data.zero_(),
    "an index": lambda x: OUTSIDE[2].__setitem__((0, slice(2)), 7),
    "a batch norm": run_norm,
    "an embedding": lambda x: F.embedding(torch.tensor([1]), OUTSIDE[2], max_norm=0.1),
    "numbers": lambda x: (random.random(), np.random.rand(), torch.rand(1)),
    "a mode that stays": lambda x: Passes().__enter__(),
}


class Writes(nn.Linear):
    def __init__(self, write):
        super().__init__(8, 8, bias=False)
        self.write = write

    def forward(self, x):
        self.write(x)
        return super().forward(x)


@BOTH
@pytest.mark.parametrize("way", WRITES)
def test_the_world_outside_stays(way, real):
    def world():
        numbers = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
        return [held.tolist() for held in OUTSIDE], numbers, len(_get_current_dispatch_mode_stack())

    model = Writes(WRITES[way])
    before = world()
    report = count(model, torch.ones(2, 8)) if real else count(model, input_size=(2, 8))
    assert report.macs == 2 * 64 and world() == before


def test_what_is_written_outside_is_read_back():
    weight = torch.ones(8)

    def write(x):
        weight[0].mul_(3)
        weight[:2].add_(1)
        assert (weight * torch.arange(8)).sum().item() == 2 + sum(range(2, 8)) and weight[0].item() == 4

    for _ in range(2):
        assert count(Writes(write), input_size=(2, 8)).macs == count(Writes(write), torch.ones(2, 8)).macs == 128


SAID = ["all tensors must be on the same device", "this layer has no meta tensor kernel: data-dependent"]


@BOTH
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("kind", [RuntimeError, ValueError, NotImplementedError])
def test_an_error_that_the_model_raises_is_passed_on_whatever_it_says(kind, said, real):
    class Raises(nn.Linear):
        def forward(self, x):
            super().forward(x)
            raise kind(said)

    with pytest.raises(kind, match=f"^{said}$"):
        count(Raises(8, 8), torch.ones(2, 8)) if real else count(Raises(8, 8), input_size=(2, 8))


LATER = [lambda x: (x, map(torch.relu, [x])), lambda x: {"a": [x, (one for one in x)]}, lambda x: [iter([x])]]


@pytest.mark.parametrize("later", LATER)
def test_what_is_still_to_come_is_no_result(later):
    with pytest.raises(ValueError, match="is returned, and what it would do is still to come"):
        count(later, torch.ones(2, 8))


@pytest.mark.filterwarnings("ignore:`torch.jit")
def test_a_scripted_model_whose_operations_are_hidden_is_refused():
    model = torch.jit.optimize_for_inference(torch.jit.script(nn.Sequential(nn.Conv2d(3, 8, 3)).eval()))
    with pytest.raises(ValueError, match="optimize_for_inference hides what this model does: count it before"):
        count(model, torch.ones(1, 3, 8, 8))


def test_a_model_out_of_reach_says_what_to_do():
    model = nn.Sequential(nn.Linear(4, 5))
    forward = model.forward
    model.forward = lambda x: forward(x)
    with pytest.raises(ValueError, match=r"count a function instead, such as lambda x: model\(x\): it is run as it is"):
        count(model, torch.ones(2, 4))
    assert count(lambda x: model(x), torch.ones(2, 4)).macs == 40


def test_a_number_among_the_sizes():
    assert count(lambda x, t: x @ x.mT + t, input_size=[(2, 3), ()]).macs == 12


class OnOneMemory(nn.Module):
    """Buffer, view and parameter show one memory, and what is written to one is read by another."""

    def __init__(self):
        super().__init__()
        self.register_buffer("whole", torch.zeros(40))
        self.part, self.spread = self.whole[3], self.whole[4:5].expand(1000, 1000)
        self.weight = nn.Parameter(self.whole[20:].view(5, 4), requires_grad=False)

    def forward(self, x):
        self.part.add_(1)
        self.weight[0, 0] = 1
        marks = [self.whole[index].item() for index in (3, 20)]
        return x @ self.weight.T if marks == [1, 1] and self.spread.stride() == (0, 0) else x


@BOTH
def test_tensors_that_show_one_memory_still_do_in_the_copy(real):
    model = OnOneMemory()
    report = count(model, torch.ones(2, 4)) if real else count(model, input_size=(2, 4))
    assert report.macs == 2 * 4 * 5
    assert not model.whole.any() and model.part.data_ptr() == model.whole[3].data_ptr()


def test_numbers_that_something_unknown_was_written_over_are_no_longer_known():
    model = nn.Sequential(OnOneMemory())  # what its million numbers show is not followed
    model[0].register_forward_pre_hook(lambda layer, inputs: inputs if layer.spread[0, 0].add_(1).dim() == 0 else None)
    with pytest.raises(ValueError, match="needs values where there are shapes only"):
        count(model, input_size=(2, 4))


def test_inputs_that_show_one_memory_still_do_in_their_copies():
    def function(x, part):
        part.add_(1)
        return x @ x if x[1, 1] == 1 else x

    x = torch.zeros(4, 4)
    assert count(function, x, x[1, 1:]).macs == 64 and not x.any()


@pytest.mark.parametrize("twice", [False, True])
def test_parts_of_a_large_array_are_copied_alone(tmp_path, twice):
    """An array of 64 GiB, all a hole in a file, of which a few numbers are given."""
    large = torch.from_numpy(np.memmap(tmp_path / "large", dtype=np.float32, mode="w+", shape=(2**34,)))
    x, y = large[:8].view(2, 4), large[8:20].view(4, 3)
    assert count(lambda x, y, again: x @ y, x, y, x if twice else None).macs == 2 * 4 * 3

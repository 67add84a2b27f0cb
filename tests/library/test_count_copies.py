"""Modules that say odd things about how they are to be copied, and errors of a model's own: the copy does not ask."""

import pytest
import torch
from torch import nn

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

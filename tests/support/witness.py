"""torch's own counter as a witness of ours, where it is right: forward passes on the meta device."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from dslib.counting import count


def macs_by_torch(model, *size, **more):
    """MACs of a model on the meta device by FlopCounterMode.

    There attention comes apart into matrix products, which FlopCounterMode prices; on the CPU it is one operation that
    it doesn't know. It tracks modules by their gradients, so gradients are on.
    """
    with FlopCounterMode(display=False) as witness, torch.enable_grad():
        model(torch.empty(size, device="meta", requires_grad=True), **more)
    return witness.get_total_flops() // 2


def check_against_torch(model, *size):
    """Both counters find the same MACs, and ours leaves nothing uncounted and the model's parameters in place."""
    before = list(map(id, model.parameters()))
    report = count(model, input_size=size)
    assert report.uncounted == ()
    assert report.macs == macs_by_torch(model, *size) > 0
    assert list(map(id, model.parameters())) == before

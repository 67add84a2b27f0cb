"""One network of each family that timm has, counted, against torch's own counter."""

import pytest
import torch

from tests.support.witness import check_against_torch
from tools.reference import import_timm

timm = import_timm()
FAMILIES = 98  # in timm 1.0.31
SMALLER = {"sequencer": "sequencer2d_s"}  # than the family's first: its LSTMs are the slowest by far


def test_no_family_is_missing():
    assert len(timm.list_modules()) == FAMILIES


@pytest.mark.parametrize("family", timm.list_modules())
def test_family(family):
    with torch.device("meta"):
        model = timm.create_model(SMALLER.get(family) or timm.list_models(module=family)[0])
    check_against_torch(model.eval(), 1, *model.pretrained_cfg["input_size"])

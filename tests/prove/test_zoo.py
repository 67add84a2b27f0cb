"""Networks as timm and torchvision write them, counted, against closed forms; and their weights in ours."""

import importlib

import pytest
import torch

from dslib import cost, models
from dslib.counting import count
from tools.reference import import_timm

SIZE = (1, 3, 224, 224)


def resnet_18_macs():
    """arXiv 1512.03385, Table 1: two blocks of two 3x3 convolutions per stage, shortcuts by 1x1 convolutions."""
    macs, in_channels, side = 7 * 7 * 3 * 64 * 112**2, 64, 56
    for channels in (64, 128, 256, 512):
        if channels > 64:
            side //= 2
            macs += in_channels * channels * side**2
        macs += 9 * (in_channels + 3 * channels) * channels * side**2
        in_channels = channels
    return macs + 512 * 1000


def mobilenet_v2_macs():
    """arXiv 1801.04381, Table 2: t, c, n, s of each line of inverted residuals; the first one does not expand."""
    macs, in_channels, side = 3 * 3 * 3 * 32 * 112**2, 32, 112
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, channels, repeats, stride in table:
        for block in range(repeats):
            wide = expansion * in_channels
            macs += in_channels * wide * side**2 if expansion > 1 else 0
            side //= stride if block == 0 else 1
            macs += (9 * wide + wide * channels) * side**2
            in_channels = channels
    return macs + 320 * 1280 * side**2 + 1280 * 1000


CLOSED_FORMS = {
    ("timm", "mobilenetv1_100"): lambda: cost.mobilenet_v1().total.macs,
    ("timm", "mobilenetv1_125"): lambda: cost.mobilenet_v1(width_multiplier=1.25).total.macs,
    ("timm", "ghostnet_050"): lambda: cost.ghostnet(width_multiplier=0.5).total.macs,
    ("timm", "ghostnet_100"): lambda: cost.ghostnet().total.macs,
    ("timm", "ghostnet_130"): lambda: cost.ghostnet(width_multiplier=1.3).total.macs,
    ("timm", "mobilenetv2_100"): mobilenet_v2_macs,
    ("timm", "resnet18"): resnet_18_macs,
    ("torchvision", "mobilenet_v2"): mobilenet_v2_macs,
    ("torchvision", "resnet18"): resnet_18_macs,
}


def built(library, name):
    timm = import_timm()  # torchvision can be imported after it
    if library == "timm":
        return timm.create_model(name)
    return getattr(importlib.import_module("torchvision.models"), name)()


@pytest.mark.parametrize("library, name", CLOSED_FORMS)
def test_the_same_number_whoever_wrote_the_network(library, name):
    report = count(built(library, name).eval(), input_size=SIZE)
    assert report.macs == CLOSED_FORMS[library, name]()
    assert report.uncounted == ()


@pytest.mark.parametrize(
    "name, factory, width",
    [
        ("mobilenetv1_100", models.mobilenet_v1, {}),
        ("mobilenetv1_125", models.mobilenet_v1, {"width_multiplier": 1.25}),
        ("ghostnet_050", models.ghostnet, {"width_multiplier": 0.5}),
        ("ghostnet_100", models.ghostnet, {}),
        ("ghostnet_130", models.ghostnet, {"width_multiplier": 1.3}),
        ("tf_efficientnet_lite0", models.efficientnet_lite0, {}),
    ],
)
def test_timms_weights_load_and_give_its_numbers(name, factory, width):
    torch.manual_seed(0)
    theirs = built("timm", name).double().eval()
    ours = models.load_weights(factory(**width).double().eval(), theirs.state_dict())
    images = torch.randn(2, 3, 97, 128, dtype=torch.float64)
    with torch.inference_mode():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, rtol=0, atol=1e-8 * expected.std().item())

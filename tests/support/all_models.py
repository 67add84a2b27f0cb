"""Every factory of dslib.models, made small, for tests that hold for all of them."""

from functools import partial

import pytest

from dslib import models, tables

MOBILENET, GHOSTNET = tables.MOBILENET_V1[:4], tables.GHOSTNET[:4] + tables.GHOSTNET[-2:]
LITE = [row._replace(out_channels=row.out_channels // 4) for row in tables.EFFICIENTNET_LITE0[:4]]
VGG = [row._replace(out_channels=row.out_channels // 8) for row in tables.VGG_16_CIFAR]
EVERY_MODEL = {
    "mobilenet_v1": partial(models.mobilenet_v1, 0.5, rows=MOBILENET),
    "mobilenet_v1_standard": partial(models.mobilenet_v1_standard, 0.5, rows=MOBILENET),
    "mobilenet_v1, tensorflow": partial(models.mobilenet_v1, 0.5, rows=MOBILENET, norm_eps=1e-3, padding="tensorflow"),
    "efficientnet_lite0": partial(models.efficientnet_lite0, rows=LITE),
    "ghostnet": partial(models.ghostnet, 0.3, rows=GHOSTNET),
    "vgg_16_cifar": partial(models.vgg_16_cifar, rows=VGG),
    "ghost_vgg_16_cifar": partial(models.ghost_vgg_16_cifar, ratio=3, rows=VGG),
}
every_model = pytest.mark.parametrize("factory", EVERY_MODEL.values(), ids=EVERY_MODEL)

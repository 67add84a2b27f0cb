"""Every factory of dslib.models, for tests that hold for all of them."""

import pytest

from dslib import models

every_model = pytest.mark.parametrize(
    "factory",
    [
        models.mobilenet_v1,
        models.mobilenet_v1_standard,
        models.ghostnet,
        models.vgg_16_cifar,
        models.ghost_vgg_16_cifar,
    ],
    ids=lambda factory: factory.__name__,
)

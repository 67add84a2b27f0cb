"""Every factory of dslib.models, for tests that hold for all of them."""

import pytest

from dslib import models

every_model = pytest.mark.parametrize(
    "factory",
    [
        models.mobilenet_v1,
        models.mobilenet_v1_dense,
        models.ghostnet,
        models.vgg_16,
        models.ghost_vgg_16,
        models.resnet_56,
        models.ghost_resnet_56,
    ],
    ids=lambda factory: factory.__name__,
)

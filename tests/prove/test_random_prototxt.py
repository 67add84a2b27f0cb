"""A thousand random prototxts are priced or refused by ValueError: nothing else is raised."""

import random

import pytest

from dslib import caffe
from tests.support.random_prototxts import random_text


@pytest.mark.parametrize("seed", range(1000))
def test_a_random_prototxt_is_priced_or_refused(seed):
    rng = random.Random(f"prove {seed}")
    text = random_text(rng)
    try:
        net = caffe.price(text, rng.choice(["TEST", "TRAIN"]))
    except ValueError as error:
        assert str(error)
    else:
        assert net.total.macs >= 0
        message = caffe.read_prototxt(text)
        assert caffe.price(caffe.write_prototxt(message)).total == caffe.price(text).total

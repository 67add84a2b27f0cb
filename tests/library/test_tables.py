"""What may stand in a network's table: told by the row's number and the field's name, by models and costs alike."""

import pytest
import sympy
import torch

from dslib import cost, models, tables

BOTH = [
    (models.mobilenet_v1, cost.mobilenet_v1),
    (models.mobilenet_v1_standard, cost.mobilenet_v1_standard),
    (models.ghostnet, cost.ghostnet),
    (models.efficientnet_lite0, cost.efficientnet_lite0),
    (models.vgg_16_cifar, cost.vgg_16_cifar),
    (models.ghost_vgg_16_cifar, cost.ghost_vgg_16_cifar),
]
NETWORKS = [network for pair in BOTH for network in pair] + [cost.resnet_56_cifar, cost.ghost_resnet_56_cifar]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network.__module__}.{network.__name__}")
@pytest.mark.parametrize(
    "rows, told",
    [
        (None, r"rows must be a sequence of rows \(.*\), got None"),
        (5, r"rows must be a sequence of rows \(.*\), got 5"),
        ([], r"rows must hold at least one row \(.*\), got \[\]"),
        ([64], r"row 0 must be \(.*\), got 64"),
        ("ab", r"row 0 must be \(.*\), got 'a'"),
        ([(1, 2, 3, 4, 5, 6)], r"row 0 must be \(.*\), got \(1, 2, 3, 4, 5, 6\)"),
    ],
)
def test_what_is_no_table(network, rows, told):
    with torch.device("meta"), pytest.raises(ValueError, match=told):
        network(rows=rows)


@pytest.mark.parametrize(
    "networks, row, told",
    [
        (BOTH[0], (1, "64"), "out_channels of row 1 must be a whole number, got '64'"),
        (BOTH[1], (0, 64), "stride of row 1 must be at least 1, got 0"),
        (BOTH[2], (3, 16.5, 16, False, 1), "hidden_channels of row 1 must be a whole number, got 16.5"),
        (BOTH[2], (3, 16, 16, "no", 1), "squeeze of row 1 must be True or False, got 'no'"),
        (BOTH[3], (0, 1, 3, 16, 1), "blocks of row 1 must be at least 1, got 0"),
        (BOTH[4], (64, 2), "pool of row 1 must be True or False, got 2"),
        ((cost.resnet_56_cifar,), (1.5, 16, 1), "blocks of row 1 must be a whole number, got 1.5"),
    ],
)
def test_what_is_no_row(networks, row, told):
    good = {2: (1, 64), 3: (1, 16, 1), 5: (3, 16, 16, False, 1)}[len(row)]
    good = (1, 1, 3, 16, 1) if networks is BOTH[3] else (64, True) if networks is BOTH[4] else good
    for network in networks:
        with torch.device("meta"), pytest.raises(ValueError, match=told):
            network(rows=[good, row])


def test_rows_are_read_as_their_kind():
    assert tables.read([[1, 64]], tables.Pair) == [tables.Pair(stride=1, out_channels=64)]
    assert tables.read(iter(tables.GHOSTNET), tables.Bottleneck) == list(tables.GHOSTNET)


def test_channels_of_a_priced_row_may_be_symbols_and_strides_not():
    C = sympy.Symbol("C", positive=True, integer=True)
    letters, numbers = (cost.resnet_56_cifar(rows=[(2, channels, 1)]).total for channels in (C, 48))
    assert letters.params.subs(C, 48) == numbers.params and letters.macs.subs(C, 48) == numbers.macs
    with pytest.raises(ValueError, match="stride of row 0 must be a whole number, got C"):
        cost.mobilenet_v1(rows=[(C, 64)])

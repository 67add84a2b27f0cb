"""The networks of dslib.models against timm's state dicts and outputs, and against the same network by functions.

What they cost stands in test_networks.py.
"""

import csv
import math
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dslib import models, tables
from tests.support.all_models import every_model
from tests.support.reference.filling import filled, images

REFERENCE = Path(__file__).parent.parent / "support" / "reference"


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def without_data(build, *args, **kwargs):
    """The model with shapes but no numbers: counting needs none."""
    with torch.device("meta"):
        return build(*args, **kwargs).eval()


def randn(*shape):
    return torch.randn(shape, dtype=torch.float64)


def calibrated(model):
    """The model in float64 and evaluation mode, its running statistics those of some images: no signal dies away."""
    for module in model.double().modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model(randn(4, 3, 32, 32))
    return model.eval()


# ---- published weights fit, and say the same


def stored(name):
    with (REFERENCE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


REFERENCES = [
    ("mobilenetv1_100", models.mobilenet_v1),
    ("ghostnet_100", models.ghostnet),
    ("tf_efficientnet_lite0", models.efficientnet_lite0),
]


@pytest.mark.parametrize("name, factory", REFERENCES)
def test_state_dict_is_timms_in_names_shapes_and_order(name, factory):
    state = without_data(factory).state_dict()
    ours = [{"key": key, "shape": "x".join(map(str, tensor.shape))} for key, tensor in state.items()]
    assert ours == stored(f"{name}.csv")


@pytest.mark.parametrize(
    "name, factory",
    [
        ("mobilenetv1_100", models.mobilenet_v1),
        ("ghostnet_050", partial(models.ghostnet, 0.5)),
        ("ghostnet_130", partial(models.ghostnet, 1.3)),
        ("tf_efficientnet_lite0", models.efficientnet_lite0),
    ],
)
def test_the_same_weights_give_timms_logits(name, factory):
    """The stored logits are timm's, for weights and images by the rule of reference/filling.py."""
    with torch.inference_mode():
        logits = filled(factory(), name)(images())
    rows = [row for row in stored("logits.csv") if row["model"] == name]
    expected = torch.tensor([float(row["logit"]) for row in rows], dtype=torch.float64)
    got = torch.stack([logits[int(row["image"]), int(row["class"])] for row in rows])
    assert len(rows) == 20 and expected.std() > 0.1
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-8)


def normed(state, conv, norm, x, stride=1):
    """A 3x3 convolution and its norm, from the weights alone."""
    x = F.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=1)
    statistics = [state[f"{norm}.{key}"] for key in ("running_mean", "running_var", "weight", "bias")]
    return F.batch_norm(x, *statistics)


def test_vgg_16_cifar_said_once_more_by_functions():
    model = calibrated(models.vgg_16_cifar())
    x, state = randn(2, 3, 32, 32), model.state_dict()
    expected = x
    for number, pools in enumerate([0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]):
        layer = f"blocks.{number}.0"
        expected = F.relu(normed(state, f"{layer}.conv", f"{layer}.norm", expected))
        expected = F.max_pool2d(expected, 2) if pools else expected
    expected = F.relu(F.linear(expected.flatten(1), state["hidden.weight"], state["hidden.bias"]))
    expected = F.linear(expected, state["classifier.weight"], state["classifier.bias"])
    torch.testing.assert_close(model(x), expected, rtol=1e-9, atol=1e-9)


def test_ghost_modules_of_vgg_16():
    """Each convolution has become one, of 3x3 primary kernels, with an activation after both of its parts."""
    blocks = without_data(models.ghost_vgg_16_cifar, ratio=3, dw_kernel_size=5).blocks
    plain = without_data(models.vgg_16_cifar).blocks
    for block, twin in zip(blocks, plain, strict=True):
        module, conv = block[0], twin[0].conv
        assert [type(part) for part in block[1:]] == [type(part) for part in twin[1:]]
        assert module.primary_conv[0].in_channels == conv.in_channels
        assert module.primary_conv[0].out_channels == -(-conv.out_channels // 3)
        assert module.primary_conv[0].kernel_size == (3, 3) and module.cheap_operation[0].kernel_size == (5, 5)
        assert type(module.primary_conv[2]) is type(module.cheap_operation[2]) is nn.ReLU


@pytest.mark.parametrize(
    "factory",
    [
        models.mobilenet_v1,
        partial(models.mobilenet_v1, padding="tensorflow"),
        models.mobilenet_v1_standard,
        models.ghostnet,
        models.efficientnet_lite0,
    ],
)
def test_layers_have_torchs_exact_types(factory):
    """Other counters of operations look them up."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    found = [type(module) for module in without_data(factory).modules() if isinstance(module, kinds)]
    assert set(found) == set(kinds)


def test_standard_twin_has_one_3x3_convolution_where_the_other_has_a_pair():
    twin, separable = without_data(models.mobilenet_v1_standard), without_data(models.mobilenet_v1)
    assert [len(stage) for stage in twin.blocks] == [len(stage) for stage in separable.blocks] == [1, 2, 2, 6, 2]
    for of_twin, of_separable in zip(twin.blocks, separable.blocks, strict=True):
        for block, pair in zip(of_twin, of_separable, strict=True):
            assert [type(part) for part in block] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU6]
            assert block.conv.weight.shape == (pair.conv_pw.out_channels, pair.conv_dw.in_channels, 3, 3)
            assert (block.conv.stride, block.conv.padding, block.conv.groups) == (pair.conv_dw.stride, (1, 1), 1)
            assert block.conv.bias is None


@pytest.mark.parametrize(
    "factory, rows",
    [
        (models.mobilenet_v1, [(2, 16), (1, 24)]),
        (models.mobilenet_v1_standard, [(2, 16), (1, 24)]),
        (models.ghostnet, [(3, 16, 16, True, 1)]),
        (models.efficientnet_lite0, [(1, 1, 3, 16, 1), (1, 2, 5, 24, 2)]),
        (models.vgg_16_cifar, [(16, True), (24, False)]),
        (models.ghost_vgg_16_cifar, [(16, True), (24, False)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_networks_of_other_rows(factory, rows):
    """Plain tuples will do, also from an iterator."""
    model = factory(num_classes=5, rows=iter(rows))
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    blocks = [block for stage in model.blocks for block in stage if type(block) is not nn.MaxPool2d]
    assert len(blocks) == len(rows) + (factory is models.ghostnet)  # a pointwise convolution comes last


def test_widths_round_down_to_no_less_than_8():
    assert without_data(models.mobilenet_v1, 0.1).conv_stem.out_channels == 8  # 3.2
    assert without_data(models.mobilenet_v1, 0.35).conv_stem.out_channels == 11  # 11.2
    assert without_data(models.mobilenet_v1, 0.58).blocks[-1][-1].conv_pw.out_channels == 593  # 593.92


def test_activation_of_mobilenet_v1():
    """ReLU6 unless told; it differs from ReLU where something is above 6."""
    arguments = {}, {"activation": "relu6"}, {"activation": "relu"}
    built = [models.mobilenet_v1(rows=tables.MOBILENET_V1[:4], **argument) for argument in arguments]
    outputs = [filled(model, "mobilenetv1_100")(images()) for model in built]
    assert torch.equal(outputs[0], outputs[1])
    assert (outputs[0] - outputs[2]).abs().max() > 1e-3
    acts = [m for m in without_data(models.mobilenet_v1, activation=nn.Tanh()).modules() if type(m) is nn.Tanh]
    assert len(acts) == 1  # the same module everywhere
    assert not any(
        isinstance(m, nn.ReLU6) for m in without_data(models.mobilenet_v1_standard, activation=None).modules()
    )


def test_dropout_of_ghostnet():
    assert without_data(models.ghostnet, dropout=0.9).dropout.p == 0.9
    assert without_data(models.ghostnet).dropout.p == 0.2


# ---- TensorFlow's padding and norms

DOWN = ("blocks.1.0.conv_dw", "blocks.2.0.conv_dw")  # with a stride of 2, in four rows


def test_a_padding_of_tensorflow_s_says_what_it_is_made_for():
    model = models.mobilenet_v1(padding="tensorflow")
    assert repr(model.conv_stem_pad) == "TensorFlowPad2d(kernel_size=(3, 3), stride=(2, 2))"


@pytest.mark.parametrize("size", [(32, 32), (33, 40), (47, 49)])
def test_tensorflows_padding_at_each_stride_of_2(size):
    """Each map has half the side of the one before it, rounded up, and the zeros are right and below first."""
    model = calibrated(models.mobilenet_v1(0.25, padding="tensorflow", rows=tables.MOBILENET_V1[:4]))
    seen = {}
    strided = {name: module for name, module in model.named_modules() if getattr(module, "stride", 1) == (2, 2)}
    for name, module in strided.items():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output, name=name: seen.update({name: output}))
    for name in [name for name in strided if name.endswith("_pad")]:
        strided[name].register_forward_hook(lambda module, inputs, output, name=name: seen.update({name: inputs[0]}))
    model(randn(2, 3, *size))
    assert list(seen) == [f"{name}{end}" for name in ("conv_stem", *DOWN) for end in ("_pad", "")]
    for name in ("conv_stem", *DOWN):
        x, conv, sides = seen[f"{name}_pad"], strided[name], seen[f"{name}_pad"].shape[-2:]
        assert seen[name].shape[-2:] == tuple(math.ceil(side / 2) for side in sides)
        assert sides != (1, 1) and conv.padding == (0, 0)
        below, right = (2 if side % 2 else 1 for side in sides)  # rows of zeros: two on odd sides, one of them above
        around = F.pad(x, (right - 1, 1, below - 1, 1))
        expected = F.conv2d(around, conv.weight, stride=2, groups=conv.groups)
        torch.testing.assert_close(seen[name], expected, rtol=1e-12, atol=1e-12)


def test_padding_and_eps_leave_weights_alone_and_change_the_numbers():
    ours = calibrated(models.mobilenet_v1(0.25, rows=tables.MOBILENET_V1[:4]))
    state, x = ours.state_dict(), randn(2, 3, 32, 32)
    for settings in (dict(padding="tensorflow"), dict(norm_eps=1e-3)):
        other = models.mobilenet_v1(0.25, rows=tables.MOBILENET_V1[:4], **settings).double().eval()
        other.load_state_dict(state)  # strictly
        assert (other(x) - ours(x)).abs().max() > 1e-3


def test_eps_is_that_of_every_norm():
    for factory in (models.mobilenet_v1, models.mobilenet_v1_standard):
        norms = [m for m in without_data(factory, norm_eps=0.25).modules() if isinstance(m, nn.BatchNorm2d)]
        assert norms and {norm.eps for norm in norms} == {0.25}


# ---- what holds for all of them


@every_model
def test_every_parameter_receives_a_gradient(factory):
    """In evaluation: in training a norm undoes any constant shift before it; so 13 of GhostNet's learn nothing."""
    model = calibrated(factory(num_classes=4))
    (model(randn(2, 3, 32, 32)) * randn(2, 4)).sum().backward()
    without = [name for name, p in model.named_parameters() if not (p.grad.isfinite().all() and p.grad.any())]
    assert not without


@every_model
def test_all_parameters_take_part_in_training(factory):
    model = factory(num_classes=4).double()
    (model(randn(2, 3, 33, 40)) * randn(2, 4)).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(norm.num_batches_tracked == 1 for norm in model.modules() if isinstance(norm, nn.BatchNorm2d))


@every_model
def test_any_batch_and_size_from_32_up(factory):
    model = factory(num_classes=7, in_channels=1).eval()
    with torch.inference_mode():
        for shape in [(1, 1, 32, 32), (0, 1, 32, 40), (3, 1, 33, 32), (1, 1, 32, 47), (2, 1, 65, 50)]:
            logits = model(torch.randn(shape))
            assert logits.shape == (shape[0], 7) and logits.isfinite().all()


@every_model
def test_images_of_a_batch_do_not_meet_in_evaluation(factory):
    model = calibrated(factory(num_classes=5))
    x = randn(3, 3, 40, 33)
    with torch.inference_mode():
        alone = torch.cat([model(image[None]) for image in x])
        torch.testing.assert_close(model(x), alone, rtol=1e-9, atol=1e-12)
        assert not torch.allclose(alone[0], alone[1], rtol=1e-9, atol=1e-12)


@every_model
def test_forward_leaves_its_input_alone(factory):
    x = torch.randn(2, 3, 32, 32)
    before = x.clone()
    factory(num_classes=2)(x)
    assert torch.equal(x, before)


@every_model
@pytest.mark.parametrize("name", ["num_classes", "in_channels"])
@pytest.mark.parametrize("bad", [0, 2.5, True])
def test_bad_counts_are_refused(factory, name, bad):
    with pytest.raises(ValueError) as error:
        without_data(factory, **{name: bad})
    assert name in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize("factory", [models.mobilenet_v1, models.mobilenet_v1_standard, models.ghostnet])
@pytest.mark.parametrize("bad", [0, -0.5, float("nan"), float("inf"), True, "1.0"])
def test_bad_widths_are_refused(factory, bad):
    with pytest.raises(ValueError) as error:
        without_data(factory, bad)
    assert "width_multiplier" in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize(
    "build, told",
    [
        (lambda: models.mobilenet_v1(activation="swish"), "activation .*swish"),
        (lambda: models.mobilenet_v1_standard(activation=6), "activation .*6"),
        (lambda: models.mobilenet_v1(padding="same"), "padding must be 'torch' or 'tensorflow', got 'same'"),
        (lambda: models.mobilenet_v1(norm_eps=0), "norm_eps .*got 0"),
        (lambda: models.mobilenet_v1(rows=[(0, 64)]), "stride .*0"),
        (lambda: models.mobilenet_v1_standard(rows=[(1.5, 64)]), "stride .*1.5"),
        (lambda: models.ghostnet(rows=[]), r"rows .*\[\]"),
        (lambda: models.ghostnet(rows=[(3, 16, 16, False, 0)]), "stride .*0"),
        (lambda: models.ghostnet(rows=[(4, 16, 16, False, 2)]), "kernel_size 4"),
        (lambda: models.efficientnet_lite0(rows=[(0, 1, 3, 16, 1)]), "blocks .*0"),
        (lambda: models.efficientnet_lite0(rows=[(1, 0, 3, 16, 1)]), "expansion .*0"),
        (lambda: models.efficientnet_lite0(rows=[(1, 6, 4, 16, 1)]), "kernel_size 4"),
        (lambda: models.ghost_vgg_16_cifar(ratio=1), "ratio .*1"),
        (lambda: models.ghost_vgg_16_cifar(dw_kernel_size=2), "dw_kernel_size .*2"),
    ],
)
def test_what_makes_no_network_is_refused(build, told):
    with torch.device("meta"), pytest.raises(ValueError, match=told):
        build()

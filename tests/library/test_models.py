"""The networks of dslib.models against their papers' figures, timm's state dicts and timm's outputs.

Multiply-accumulates are counted by torch's own FlopCounterMode (2 for each) on tensors without data.
"""

import csv
import functools
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dslib import models
from dslib.models import GHOSTNET, MOBILENET_V1, GhostNet, MobileNetV1
from dslib.models.mobilenet_v1 import DenseBlock
from tests.support.all_models import every_model
from tests.support.reference.filling import filled, images

REFERENCE = Path(__file__).parent.parent / "support" / "reference"
SHALLOW = MOBILENET_V1[:6] + MOBILENET_V1[11:]  # MobileNet paper, Table 5: without the five rows of 14x14x512


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def without_data(build, *args, **kwargs):
    """The model with shapes but no numbers: counting needs none."""
    with torch.device("meta"):
        return build(*args, **kwargs).eval()


@functools.cache
def default(factory):
    """One such model for all tests that only ask what it refuses."""
    return without_data(factory)


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


def macs(model, size, part="Global"):
    """Multiply-accumulates of one image: of all, or by the kind of operation with ``part`` None."""
    counter = FlopCounterMode(display=False)
    with counter:
        model(torch.empty(1, 3, size, size, device="meta"))
    counts = {operation.__name__: flops // 2 for operation, flops in counter.get_flop_counts()["Global"].items()}
    assert set(counts) == {"convolution", "addmm"}
    return sum(counts.values()) if part == "Global" else counts[part]


def params(model, of=nn.Module):
    """Learnable scalars, of all modules or of those of one kind."""
    own = [p for module in model.modules() if isinstance(module, of) for p in module.parameters(recurse=False)]
    return sum(p.numel() for p in own)


def millions(count, digits):
    return round(count / 1e6, digits)


# ---- exact counts


@pytest.mark.parametrize(
    "build, arguments, size, expected_macs, expected_params",
    [
        (models.mobilenet_v1, {}, 224, 568_740_352, 4_231_976),  # timm's mobilenetv1_100 has as many params
        (models.mobilenet_v1_dense, {}, 224, 4_867_293_184, 29_294_088),
        (models.ghostnet, {"width_multiplier": 0.5}, 224, 42_328_152, 2_587_292),  # timm: ghostnet_050
        (models.ghostnet, {}, 224, 141_150_512, 5_182_508),  # ghostnet_100
        (models.ghostnet, {"width_multiplier": 1.3}, 224, 227_003_256, 7_358_820),  # ghostnet_130
        # VGG-16 by hand: 9 * pixels * (channels in * out) over 13 convolutions is 313,196,544; head 512*512 + 512*10
        (models.vgg_16, {}, 32, 313_196_544 + 267_264, 14_986_698),
        # ResNet-56 by hand: stem 442,368; three stages of 18 convolutions, two of them from half the channels
        (models.resnet_56, {}, 32, 442_368 + (18 + 17.5 + 17.5) * 9 * 16 * 16 * 1024 + 640, 853_018),
    ],
)
def test_exact_counts(build, arguments, size, expected_macs, expected_params):
    model = without_data(build, **arguments)
    assert macs(model, size) == expected_macs
    assert params(model) == expected_params


def test_mobilenet_v1_parameters_by_kind():
    """All weights, biases and norms of MobileNetV1; 4,253,864 with the running statistics."""
    model = without_data(models.mobilenet_v1)
    assert params(model, nn.Conv2d) == 3_185_088
    assert params(model, nn.Linear) == 1024 * 1000 + 1000
    assert params(model, nn.BatchNorm2d) == 4_231_976 - 4_210_088
    statistics = sum(buffer.numel() for buffer in model.buffers() if buffer.dim())
    assert params(model) + statistics == 4_253_864


# ---- the MobileNet paper's tables (arXiv 1704.04861), in millions; the printed figure where it differs by a hair


@pytest.mark.parametrize(
    "kind, share_of_macs, share_of_weights",
    [("1x1", 94.857, 74.591), ("depthwise", 3.057, 1.061), ("3x3", 1.906, 0.021), ("linear", 0.180, 24.328)],
)
def test_mobilenet_table_2(kind, share_of_macs, share_of_weights):
    """Percent by kind of layer. The paper prints 1.19 for the 3x3 convolution's Mult-Adds: a misprint of 1.91."""

    def kind_of(module):
        if isinstance(module, nn.Linear):
            return "linear"
        return "depthwise" if module.groups > 1 else "{}x{}".format(*module.kernel_size)

    model = without_data(models.mobilenet_v1)
    counter = FlopCounterMode(display=False)
    with counter:
        model(torch.empty(1, 3, 224, 224, device="meta"))
    flops = {name: sum(counts.values()) for name, counts in counter.get_flop_counts().items()}
    layers = {f"MobileNetV1.{n}": m for n, m in model.named_modules() if isinstance(m, (nn.Conv2d, nn.Linear))}
    chosen = [name for name, module in layers.items() if kind_of(module) == kind]
    weights = sum(layers[name].weight.numel() for name in chosen)
    assert round(100 * sum(flops[name] for name in chosen) / flops["Global"], 3) == share_of_macs
    assert round(100 * weights / 4_209_088, 3) == share_of_weights


def test_mobilenet_table_4():
    """The dense row is printed without the fully connected layer (4866, 29.3), the other one with it (569, 4.2)."""
    dense, separable = without_data(models.mobilenet_v1_dense), without_data(models.mobilenet_v1)
    assert millions(macs(dense, 224, "convolution"), 2) == 4866.27
    assert millions(params(dense), 1) == 29.3
    assert millions(macs(separable, 224), 2) == 568.74
    assert millions(macs(separable, 224, "convolution"), 2) == 567.72


def test_mobilenet_table_5():
    """Thin (alpha 0.75): 325 and 2.6; shallow: 307 and 2.9."""
    thin, shallow = without_data(models.mobilenet_v1, 0.75), without_data(MobileNetV1, SHALLOW)
    assert (millions(macs(thin, 224), 3), millions(params(thin), 4)) == (325.400, 2.5856)
    assert (millions(macs(shallow, 224), 3), millions(params(shallow), 4)) == (307.323, 2.8880)


@pytest.mark.parametrize(
    "width, expected_macs, expected_params",
    [(1.0, 568.740, 4.2320), (0.75, 325.400, 2.5856), (0.5, 149.497, 1.3316), (0.25, 41.030, 0.4701)],
)
def test_mobilenet_table_6(width, expected_macs, expected_params):
    """Printed: 569, 325, 149, 41 and 4.2, 2.6, 1.3, 0.5."""
    model = without_data(models.mobilenet_v1, width_multiplier=width)
    assert (millions(macs(model, 224), 3), millions(params(model), 4)) == (expected_macs, expected_params)


@pytest.mark.parametrize("size, expected", [(224, 568.740), (192, 418.122), (160, 290.675), (128, 186.401)])
def test_mobilenet_table_7(size, expected):
    """Printed: 569, 418, 290 (cut off, not rounded), 186."""
    assert millions(macs(without_data(models.mobilenet_v1), size), 3) == expected


def test_mobilenet_table_9():
    """0.50 MobileNet-160, printed as 76 and 1.32: cut off, and without the norms."""
    model = without_data(models.mobilenet_v1, 0.5)
    assert millions(macs(model, 160), 3) == 76.525
    assert millions(params(model) - params(model, nn.BatchNorm2d), 4) == 1.3206


@pytest.mark.parametrize("size, expected, printed", [(224, 40.77, 45), (128, 13.31, 15)])
def test_mobilenet_table_12_cannot_be_reproduced(size, expected, printed):
    """Face embeddings with 0.25 MobileNet, no classifier."""
    count = macs(without_data(models.mobilenet_v1, 0.25), size, "convolution")
    assert millions(count, 2) == expected and expected < printed - 1


def test_mobilenet_table_14():
    """The first of two rows "0.75 at 128", 166 M, is the row at 160."""
    model = without_data(models.mobilenet_v1, 0.75)
    assert millions(macs(model, 160, "convolution"), 1) == 165.6
    assert round(macs(model, 128) / 1e6) < 110


def test_widths_round_down_to_no_less_than_8():
    assert without_data(models.mobilenet_v1, 0.1).conv_stem.out_channels == 8  # 3.2
    assert without_data(models.mobilenet_v1, 0.35).conv_stem.out_channels == 11  # 11.2
    assert without_data(models.mobilenet_v1, 0.58).blocks[-1][-1].conv_pw.out_channels == 593  # 593.92


# ---- the GhostNet paper's tables (arXiv 1911.11907)


@pytest.mark.parametrize(
    "ratio, dw_kernel_size, expected_macs, expected_params",
    [
        (2, 3, 157.84, 7.650),
        (3, 3, 106.97, 5.218),
        (4, 3, 80.17, 3.982),
        (5, 3, 65.40, 3.270),
        (2, 1, 156.74, 7.634),
        (2, 5, 160.05, 7.684),
        (2, 7, 163.37, 7.735),
    ],
)
def test_ghost_vgg_16_of_tables_3_and_4(ratio, dw_kernel_size, expected_macs, expected_params):
    """Convolutions alone, in millions. Printed: 158, 107, 80, 65 for s = 2 to 5; 157, 158, 160, 163 for d = 1 to 7."""
    model = without_data(models.ghost_vgg_16, ratio=ratio, dw_kernel_size=dw_kernel_size)
    assert millions(macs(model, 32, "convolution"), 2) == expected_macs
    assert millions(params(model), 3) == expected_params


def test_ghost_resnet_56_fits_the_printed_row_with_kernels_of_one_pixel():
    """Table 5 prints 63 M MACs and 0.43 M params for s = 2; the module of the paper has d = 3."""
    as_said = without_data(models.ghost_resnet_56, ratio=2, dw_kernel_size=3)
    assert (round(macs(as_said, 32) / 1e6), millions(params(as_said), 2)) == (65, 0.44)
    as_printed = without_data(models.ghost_resnet_56, ratio=2, dw_kernel_size=1)
    assert (round(macs(as_printed, 32) / 1e6), millions(params(as_printed), 2)) == (63, 0.43)


# ---- published weights fit, and say the same


def stored(name):
    with (REFERENCE / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "name, factory, entries",
    [("mobilenetv1_100", models.mobilenet_v1, 164), ("ghostnet_100", models.ghostnet, 512)],
)
def test_state_dict_is_timms_in_names_shapes_and_order(name, factory, entries):
    state = without_data(factory).state_dict()
    ours = [{"key": key, "shape": "x".join(map(str, tensor.shape))} for key, tensor in state.items()]
    assert ours == stored(f"{name}.csv")
    assert len(ours) == entries


@pytest.mark.parametrize(
    "name, factory, width",
    [
        ("mobilenetv1_100", models.mobilenet_v1, 1.0),
        ("mobilenetv1_125", models.mobilenet_v1, 1.25),
        ("ghostnet_050", models.ghostnet, 0.5),
        ("ghostnet_100", models.ghostnet, 1.0),
        ("ghostnet_130", models.ghostnet, 1.3),
    ],
)
def test_the_same_weights_give_timms_logits(name, factory, width):
    """The stored logits are timm's, for weights and images by the rule of reference/filling.py."""
    with torch.inference_mode():
        logits = filled(factory(width), name)(images())
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


def test_vgg_16_said_once_more_by_functions():
    model = calibrated(models.vgg_16())
    x, state = randn(2, 3, 32, 32), model.state_dict()
    expected = x
    for number, pools in enumerate([0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]):
        layer = f"blocks.{number}.0"
        expected = F.relu(normed(state, f"{layer}.conv", f"{layer}.norm", expected))
        expected = F.max_pool2d(expected, 2) if pools else expected
    expected = F.relu(F.linear(expected.flatten(1), state["hidden.weight"], state["hidden.bias"]))
    expected = F.linear(expected, state["classifier.weight"], state["classifier.bias"])
    torch.testing.assert_close(model(x), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("factory", [models.resnet_56, models.ghost_resnet_56], ids=["plain", "ghost"])
def test_resnet_56_said_once_more_by_functions(factory):
    """Option A: every second pixel, then the old channels first and zeros for the new ones."""
    model = calibrated(factory())
    x, state = randn(2, 3, 32, 32), model.state_dict()
    y = F.relu(normed(state, "conv_stem", "bn1", x))
    for stage in range(3):
        for number in range(9):
            stride = 2 if stage > 0 and number == 0 else 1
            name = f"blocks.{stage}.{number}"
            if factory is models.resnet_56:
                branch = F.relu(normed(state, f"{name}.conv1", f"{name}.bn1", y, stride))
                branch = normed(state, f"{name}.conv2", f"{name}.bn2", branch)
            else:
                block = model.get_submodule(name)
                branch = block.ghost2(block.ghost1(y))
            shortcut = y[:, :, ::stride, ::stride]
            if stride == 2:
                shortcut = torch.cat([shortcut, torch.zeros_like(shortcut)], dim=1)
            y = F.relu(branch + shortcut)
    expected = F.linear(y.mean(dim=(2, 3)), state["classifier.weight"], state["classifier.bias"])
    torch.testing.assert_close(model(x), expected, rtol=1e-9, atol=1e-9)


def test_ghost_modules_of_the_small_networks():
    """The last of a block has no activation in Ghost-ResNet-56, all have one in Ghost-VGG-16; kernels are 3x3."""
    vgg, resnet = without_data(models.ghost_vgg_16, 3, 5), without_data(models.ghost_resnet_56, 3, 5)
    modules = [block[0] for block in vgg.blocks]
    modules += [module for stage in resnet.blocks for block in stage for module in (block.ghost1, block.ghost2)]
    assert len(modules) == 13 + 54
    for number, module in enumerate(modules):
        linear = number >= 13 and number % 2 == 0
        assert type(module.primary_conv[2]) is type(module.cheap_operation[2]) is (nn.Identity if linear else nn.ReLU)
        assert module.primary_conv[0].kernel_size == (3, 3) and module.cheap_operation[0].kernel_size == (5, 5)


def test_layers_have_torchs_exact_types():
    """Other counters of operations look them up."""
    for factory in (models.mobilenet_v1, models.mobilenet_v1_dense, models.ghostnet):
        for module in without_data(factory).modules():
            if isinstance(module, (nn.Conv2d, nn.BatchNorm2d, nn.Linear)):
                assert type(module).__module__.startswith("torch.nn")


def test_dense_twin_has_one_full_3x3_where_the_other_has_a_pair():
    dense, separable = without_data(models.mobilenet_v1_dense), without_data(models.mobilenet_v1)
    assert [len(stage) for stage in dense.blocks] == [len(stage) for stage in separable.blocks] == [1, 2, 2, 6, 2]
    for of_dense, of_separable in zip(dense.blocks.children(), separable.blocks.children(), strict=True):
        for block, pair in zip(of_dense, of_separable, strict=True):
            assert [name for name, _ in block.named_parameters()] == ["conv.weight", "bn1.weight", "bn1.bias"]
            assert block.conv.weight.shape == (pair.conv_pw.out_channels, pair.conv_dw.in_channels, 3, 3)
            assert block.conv.stride == pair.conv_dw.stride and block.conv.groups == 1


def test_networks_of_other_rows():
    """Plain tuples will do, and the classes' defaults are the paper's tables."""
    assert params(without_data(MobileNetV1)) == 4_231_976
    assert params(without_data(GhostNet)) == 5_182_508
    tiny = MobileNetV1([(2, 16), (1, 24)], DenseBlock, num_classes=5)
    assert [len(stage) for stage in tiny.blocks] == [2]
    assert tiny(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert GhostNet([(3, 16, 16, True, 1)], num_classes=5)(torch.zeros(2, 3, 32, 32)).shape == (2, 5)
    assert len(GHOSTNET) == 16 and len(MOBILENET_V1) == 13


def test_activation_of_mobilenet_v1():
    """ReLU6 unless told; it differs from ReLU where something is above 6."""
    by_default, relu6, relu = (
        models.mobilenet_v1(),
        models.mobilenet_v1(activation="relu6"),
        models.mobilenet_v1(activation="relu"),
    )
    outputs = [filled(model, "mobilenetv1_100")(images()) for model in (by_default, relu6, relu)]
    assert torch.equal(outputs[0], outputs[1])
    assert (outputs[0] - outputs[2]).abs().max() > 0.1
    acts = [m for m in models.mobilenet_v1(activation="silu").modules() if type(m) is nn.SiLU]
    assert len(acts) == 27
    assert not any(isinstance(m, nn.ReLU6) for m in models.mobilenet_v1_dense(activation=None).modules())


def test_dropout_of_ghostnet_acts_in_training_only():
    x = torch.randn(2, 3, 32, 32)
    model = models.ghostnet(0.25, dropout=0.9)
    assert model.dropout.p == 0.9 and models.ghostnet(0.25).dropout.p == 0.2
    features = []
    model.classifier.register_forward_pre_hook(lambda module, inputs: features.append(inputs[0]))
    model(x), model.eval()(x)
    assert (features[0] == 0).double().mean() > 0.8 > (features[1] == 0).double().mean()


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
@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 4, 64, 64), (1, 1, 64, 64), (1, 3, 64), (1, 3, 1, 64, 64), ()])
def test_wrong_rank_or_channels(factory, shape):
    with pytest.raises(ValueError) as error:
        default(factory)(torch.empty(shape, device="meta"))
    assert "(N, 3, H, W)" in str(error.value) and str(shape) in str(error.value)


@every_model
@pytest.mark.parametrize("shape", [(1, 3, 31, 64), (1, 3, 64, 31), (2, 3, 0, 32), (0, 3, 1, 1)])
def test_too_small(factory, shape):
    with pytest.raises(ValueError) as error:
        default(factory)(torch.empty(shape, device="meta"))
    assert "at least 32" in str(error.value) and str(shape) in str(error.value)


@every_model
@pytest.mark.parametrize("no_tensor", [None, [[[[0.0]]]], "x"])
def test_what_is_no_tensor_is_refused(factory, no_tensor):
    with pytest.raises(ValueError, match=f"must be a torch tensor, got {type(no_tensor).__name__}"):
        default(factory)(no_tensor)


@every_model
@pytest.mark.parametrize("name", ["num_classes", "in_channels"])
@pytest.mark.parametrize("bad", [0, 2.5, True])
def test_bad_counts_are_refused(factory, name, bad):
    with pytest.raises(ValueError) as error:
        without_data(factory, **{name: bad})
    assert name in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize(
    "factory", [models.mobilenet_v1, models.mobilenet_v1_dense, models.ghostnet], ids=lambda factory: factory.__name__
)
@pytest.mark.parametrize("bad", [0, -0.5, float("nan"), float("inf"), True, "1.0"])
def test_bad_widths_are_refused(factory, bad):
    with pytest.raises(ValueError) as error:
        without_data(factory, bad)
    assert "width_multiplier" in str(error.value) and repr(bad) in str(error.value)


@pytest.mark.parametrize(
    "build, told",
    [
        (lambda: models.ghostnet(dropout=1.0), ["dropout", "1.0"]),
        (lambda: models.ghostnet(dropout=-0.1), ["dropout", "-0.1"]),
        (lambda: models.ghostnet(dropout=float("nan")), ["dropout", "nan"]),
        (lambda: models.ghostnet(dropout=True), ["dropout", "True"]),
        (lambda: models.ghostnet(dropout="0.2"), ["dropout", "'0.2'"]),
        (lambda: models.mobilenet_v1(activation="swish"), ["activation", "'swish'"]),
        (lambda: models.mobilenet_v1_dense(activation=6), ["activation", "6"]),
        (lambda: models.ghost_vgg_16(ratio=1), ["ratio", "1"]),
        (lambda: models.ghost_vgg_16(dw_kernel_size=2), ["dw_kernel_size", "2"]),
        (lambda: models.ghost_resnet_56(ratio=2.5), ["ratio", "2.5"]),
        (lambda: models.ghost_resnet_56(dw_kernel_size=0), ["dw_kernel_size", "0"]),
    ],
)
def test_bad_arguments_are_refused_with_their_values(build, told):
    with pytest.raises(ValueError) as error:
        without_data(build)
    assert all(part in str(error.value) for part in told), str(error.value)


@pytest.mark.parametrize(
    "build, told",
    [
        (lambda: GhostNet([]), "rows .*\\(\\)"),
        (lambda: GhostNet([(3, 16, 16, False, 0)]), "stride .*0"),
        (lambda: GhostNet([(4, 16, 16, False, 2)]), "kernel_size 4"),
        (lambda: MobileNetV1([(0, 64)]), "stride .*0"),
        (lambda: MobileNetV1([(1.5, 64)]), "stride .*1.5"),
        (lambda: models.resnet.ResNet([(1.5, 16, 1)]), "blocks .*1.5"),
        (lambda: models.resnet.ResNet([(1, 8, 1)]), "new_channels .*-8"),
    ],
)
def test_rows_that_make_no_network_are_refused(build, told):
    with pytest.raises(ValueError, match=told):
        build()

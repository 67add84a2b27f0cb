"""Batch norm folded into convolutions: the same outputs with fewer parameters, and nothing folded that must not be."""

import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations, prune, weight_norm

from dslib import layers, models
from dslib.models import fold_batchnorm
from tests.support.all_models import every_model


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def randn(*shape):
    return torch.randn(shape, dtype=torch.float64)


def lively(model):
    """The model in float64 and evaluation mode; no norm has a trivial scale, shift, mean or variance."""
    model = model.double().eval()
    for norm in model.modules():
        if isinstance(norm, (nn.BatchNorm2d, nn.BatchNorm1d)):
            for tensor in (norm.weight, norm.bias, norm.running_mean):
                if tensor is not None:
                    nn.init.uniform_(tensor, 0.5, 1.5)
            if norm.running_var is not None:
                nn.init.uniform_(norm.running_var, 0.05, 0.2)
    return model


def params(model):
    return sum(p.numel() for p in model.parameters())


def norms(model):
    return [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def assert_same_outputs(model, folded, *inputs):
    """Equal in float64 but for rounding, and not because nothing comes through."""
    with torch.inference_mode():
        expected = model(*inputs)
        assert expected.std() > 1e-3
        torch.testing.assert_close(folded(*inputs), expected, rtol=1e-9, atol=1e-9)


# ---- the networks


@every_model
def test_folded_networks_give_the_same_logits(factory):
    model = lively(factory(num_classes=7))
    folded = fold_batchnorm(model)
    assert norms(model) and not norms(folded)
    assert_same_outputs(model, folded, randn(2, 3, 40, 33))
    # each norm takes a scale and a shift along, each of its convolutions gains a bias
    assert params(folded) == params(model) - sum(norm.num_features for norm in norms(model))


def test_in_float32_the_logits_agree_to_1e_5():
    model = lively(models.mobilenet_v1()).float()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        logits, folded = model(x), fold_batchnorm(model)(x)
    assert logits.std() > 1e-3
    torch.testing.assert_close(folded, logits, rtol=1e-5, atol=1e-5)


def test_mobilenet_v1_keeps_4221032_parameters():
    folded = fold_batchnorm(models.mobilenet_v1().eval())
    assert params(folded) == 4_221_032
    assert all(p.requires_grad for p in folded.parameters())
    assert type(folded.bn1) is nn.Identity and not any(module.training for module in folded.modules())


def test_the_given_model_stays_as_it_was():
    model = lively(models.ghostnet(0.5, num_classes=3))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    kinds = [type(module) for module in model.modules()]
    folded = fold_batchnorm(model)
    for parameter in folded.parameters():
        nn.init.zeros_(parameter)
    assert list(before) == list(model.state_dict()) and kinds == [type(module) for module in model.modules()]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_folding_twice_changes_nothing_more():
    once = fold_batchnorm(lively(models.ghostnet(0.25)))
    twice = fold_batchnorm(once)
    assert all(torch.equal(tensor, twice.state_dict()[name]) for name, tensor in once.state_dict().items())


# ---- small cases


def test_one_channel_by_hand():
    """gamma 3, beta 5, mean 1, variance 4 - eps: y = 3 * (2*x + 7 - 1) / 2 + 5 = 3*x + 14."""
    conv, norm = nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.5)
    with torch.no_grad():
        for tensor, value in [(conv.weight, 2), (conv.bias, 7), (norm.weight, 3), (norm.bias, 5)]:
            tensor.fill_(value)
        norm.running_mean.fill_(1), norm.running_var.fill_(3.5)
    folded = fold_batchnorm(nn.Sequential(conv, norm).eval())
    torch.testing.assert_close(folded[0].weight.item(), 3.0, rtol=1e-6, atol=0)
    torch.testing.assert_close(folded[0].bias.item(), 14.0, rtol=1e-6, atol=0)
    assert type(folded[1]) is nn.Identity


@pytest.mark.parametrize(
    "conv, norm",
    [
        (nn.Conv2d(4, 6, (3, 1), stride=2, dilation=(1, 2), groups=2, bias=True), nn.BatchNorm2d(6)),
        (nn.Conv2d(4, 6, 3, padding=2, padding_mode="reflect"), nn.BatchNorm2d(6, affine=False)),
        (nn.Conv2d(4, 6, 3, padding="same", bias=False), nn.BatchNorm2d(6, eps=0.1)),
        (layers.DepthwiseConv2d(4, 3, depth_multiplier=2), nn.BatchNorm2d(8)),
        (layers.PointwiseConv2d(4, 6, bias=True), nn.BatchNorm2d(6)),
    ],
    ids=["grouped", "reflect, no affine", "same", "depthwise", "pointwise"],
)
def test_every_kind_of_convolution_folds(conv, norm):
    model = lively(nn.Sequential(conv, norm, nn.ReLU()))
    folded = fold_batchnorm(model)
    assert not norms(folded)
    assert_same_outputs(model, folded, randn(2, 4, 9, 8))


@pytest.mark.parametrize(
    "layer",
    [layers.ConvBNAct(4, 6), layers.DepthwiseSeparableConv2d(4, 6), layers.GhostModule(4, 7, 3, ratio=3)],
    ids=lambda layer: type(layer).__name__,
)
def test_the_layers_of_the_library_fold(layer):
    model = lively(layer)
    folded = fold_batchnorm(model)
    assert not norms(folded)
    assert_same_outputs(model, folded, randn(2, 4, 9, 8))


class Net(nn.Module):
    """Two convolutions and two norms, registered crosswise, and whatever ``flow`` makes of them."""

    def __init__(self, flow, **others):
        super().__init__()
        self.norm2 = nn.BatchNorm2d(4)
        self.conv1 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        for name, module in others.items():
            setattr(self, name, module)
        self.flow = flow

    def forward(self, x):
        return self.flow(self, x)


class ActivatedNorm(nn.BatchNorm2d):
    """A norm that does more, as timm's BatchNormAct2d does."""

    def forward(self, x):
        return F.relu(super().forward(x))


class ScaledConv(nn.Conv2d):
    """A convolution that is not linear in its weights."""

    def forward(self, x):
        return self._conv_forward(x, self.weight / self.weight.norm(), self.bias)


def aliased():
    net = Net(lambda m, x: m.norm_again(m.conv_again(x)))
    net.conv_again, net.norm_again = net.conv1, net.norm1
    return net


# model, and how many norms are left in it
FLOWS = {
    "in the order of the data, not of registration": (
        Net(lambda m, x: m.norm1(m.conv2(m.norm2(m.conv1(x)).relu()))),
        0,
    ),
    "modules with two names": (aliased(), 1),
    "a convolution called twice": (Net(lambda m, x: m.norm2(m.conv1(m.norm1(m.conv1(x))))), 2),
    "a norm called twice": (Net(lambda m, x: m.norm1(m.conv2(m.norm1(m.conv1(x))))), 2),
    "an output read twice": (Net(lambda m, x: m.norm1(y := m.conv1(x)) + m.norm2(m.conv2(x)) + y), 1),
    "an output with two norms": (Net(lambda m, x: m.norm1(y := m.conv1(x)) + m.norm2(y)), 2),
    "a weight read besides": (Net(lambda m, x: m.norm1(m.conv1(x)) * m.conv1.weight.mean() + m.norm2(m.conv2(x))), 1),
    "an activation between": (Net(lambda m, x: m.norm1(m.conv1(x).relu()) + m.norm2(m.conv2(x))), 1),
    "a norm before the convolution": (Net(lambda m, x: m.conv1(m.norm1(x)) + m.norm2(m.conv2(x))), 1),
    "a norm that activates": (
        Net(lambda m, x: m.norm3(m.conv1(x)) + m.norm2(m.conv2(x)), norm3=ActivatedNorm(4)),
        2,
    ),
    "a convolution that does more": (
        Net(lambda m, x: m.norm1(m.conv3(x)) + m.norm2(m.conv2(x)), conv3=ScaledConv(4, 4, 1)),
        1,
    ),
    "a transposed convolution": (
        Net(lambda m, x: m.norm1(m.conv3(x)) + m.norm2(m.conv2(x)), conv3=nn.ConvTranspose2d(4, 4, 1)),
        1,
    ),
    "a norm without running statistics": (
        Net(lambda m, x: m.norm3(m.conv1(x)) + m.norm2(m.conv2(x)), norm3=nn.BatchNorm2d(4, track_running_stats=False)),
        2,
    ),
    "arguments by name": (Net(lambda m, x: m.norm1(input=m.conv1(x)) + m.norm2(m.conv2(x))), 1),
}


@pytest.mark.parametrize("case", FLOWS)
def test_pairs_are_found_by_the_flow_of_data(case):
    model, left = FLOWS[case]
    model = lively(model)
    folded = fold_batchnorm(model)
    assert_same_outputs(model, folded, randn(2, 4, 6, 5))
    assert len(norms(folded)) == left


def test_one_dimension_is_left_alone():
    model = lively(nn.Sequential(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4)))
    folded = fold_batchnorm(model)
    assert [type(module) for module in folded] == [nn.Conv1d, nn.BatchNorm1d]
    assert_same_outputs(model, folded, randn(2, 3, 8))


# ---- refusals


def pruned(model):
    prune.l1_unstructured(model[0], "weight", 0.5)


def normed_weight(model):
    weight_norm(model[0])


def normed_by_parametrization(model):
    parametrizations.weight_norm(model[0])
    model.eval()


def with_a_kept_result(model):
    model.kept = model(randn(1, 3, 8, 8))


def with_another_forward(model):
    """As wrappers do it: the module's own ``forward`` is replaced."""
    plain = model[0].forward
    model[0].forward = lambda x: 2 * plain(x)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
@pytest.mark.parametrize(
    "change, left",
    [
        (pruned, 1),
        (normed_weight, 1),
        (normed_by_parametrization, 1),
        (with_a_kept_result, 0),
        (with_another_forward, 1),
    ],
)
def test_models_that_compute_their_weights_or_hold_results_are_copied(change, left):
    model = lively(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    change(model)
    folded = fold_batchnorm(model)
    assert len(norms(folded)) == left
    assert_same_outputs(model, folded, randn(2, 3, 8, 8))


def test_what_is_no_model_or_cannot_be_copied_is_refused():
    for what, told in [(None, "None"), ({"a": 1}, r"\{'a': 1\}"), (nn.ReLU, "<class .*ReLU'>")]:
        with pytest.raises(ValueError, match=f"model must be a torch module, got {told}"):
            fold_batchnorm(what)
    model = nn.Sequential(nn.Conv2d(3, 4, 3)).eval()
    model.lock = threading.Lock()
    with pytest.raises(ValueError, match="Sequential cannot be copied: .*lock"):
        fold_batchnorm(model)


def test_training_mode_is_refused():
    with pytest.raises(ValueError, match="evaluation mode.*MobileNetV1 is in training mode"):
        fold_batchnorm(models.mobilenet_v1())
    model = models.mobilenet_v1().eval()
    model.blocks[2][0].bn2.train()
    with pytest.raises(ValueError, match=r"evaluation mode.*blocks\.2\.0\.bn2 is in training mode"):
        fold_batchnorm(model)


def test_what_cannot_be_traced_is_refused_with_the_reason():
    model = Net(lambda m, x: m.norm1(m.conv1(x)) if x.sum() > 0 else x).eval()
    with pytest.raises(ValueError, match="torch.fx cannot trace Net: .*control flow"):
        fold_batchnorm(model)


@pytest.mark.parametrize("hooked", [0, 1], ids=["convolution", "norm"])
def test_what_has_hooks_stays_as_it_is(hooked):
    """A hook may change what it sees: pruning and the older weight norm are hooks too."""
    model = lively(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    model[hooked].register_forward_hook(lambda module, inputs, output: 2 * output)
    x = randn(2, 3, 8, 8)
    folded = fold_batchnorm(model)
    assert isinstance(folded[1], nn.BatchNorm2d)
    torch.testing.assert_close(folded(x), model(x))


def test_a_norm_whose_statistics_are_read_elsewhere_stays():
    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x):
            return self.norm(self.conv(x)) + self.norm.running_mean[:, None, None]

    model = lively(Reads())
    x = randn(2, 3, 8, 8)
    torch.testing.assert_close(fold_batchnorm(model)(x), model(x))

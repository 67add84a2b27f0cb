"""Networks as others write them, counted, against closed forms and torch's own counter; and weights in ours."""

import functools
import importlib

import pytest
import torch

from dslib import cost, models
from dslib.counting import count
from tests.support.witness import check_against_torch, macs_by_torch
from tools.reference import import_timm

timm = import_timm()  # the others can be imported after it
torchvision = importlib.import_module("torchvision.models")
transformers = importlib.import_module("transformers")
diffusers = importlib.import_module("diffusers")

SIZE = (1, 3, 224, 224)


def resnet_18_macs():
    """arXiv 1512.03385, Table 1: two blocks of two 3x3 convolutions per stage, shortcuts by 1x1 convolutions."""
    macs, in_channels, side = 7 * 7 * 3 * 64 * 112**2, 64, 56
    for channels in (64, 128, 256, 512):
        if channels > 64:
            side //= 2
            macs += in_channels * channels * side**2
        macs += 9 * (in_channels + 3 * channels) * channels * side**2
        in_channels = channels
    return macs + 512 * 1000


def mobilenet_v2_macs():
    """arXiv 1801.04381, Table 2: t, c, n, s of each line of inverted residuals; the first one does not expand."""
    macs, in_channels, side = 3 * 3 * 3 * 32 * 112**2, 32, 112
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, channels, repeats, stride in table:
        for block in range(repeats):
            wide = expansion * in_channels
            macs += in_channels * wide * side**2 if expansion > 1 else 0
            side //= stride if block == 0 else 1
            macs += (9 * wide + wide * channels) * side**2
            in_channels = channels
    return macs + 320 * 1280 * side**2 + 1280 * 1000


CLOSED_FORMS = {
    ("timm", "mobilenetv1_100"): lambda: cost.mobilenet_v1().total.macs,
    ("timm", "mobilenetv1_125"): lambda: cost.mobilenet_v1(width_multiplier=1.25).total.macs,
    ("timm", "ghostnet_050"): lambda: cost.ghostnet(width_multiplier=0.5).total.macs,
    ("timm", "ghostnet_100"): lambda: cost.ghostnet().total.macs,
    ("timm", "ghostnet_130"): lambda: cost.ghostnet(width_multiplier=1.3).total.macs,
    ("timm", "mobilenetv2_100"): mobilenet_v2_macs,
    ("timm", "resnet18"): resnet_18_macs,
    ("torchvision", "mobilenet_v2"): mobilenet_v2_macs,
    ("torchvision", "resnet18"): resnet_18_macs,
}


@pytest.mark.parametrize("library, name", CLOSED_FORMS)
def test_the_same_number_whoever_wrote_the_network(library, name):
    model = timm.create_model(name) if library == "timm" else torchvision.get_model(name)
    report = count(model.eval(), input_size=SIZE)
    assert report.macs == CLOSED_FORMS[library, name]()
    assert report.uncounted == ()


def torchvision_models(package, every=False):
    """The names of a package's models: the first of each file, or all."""
    files = {}
    for name in torchvision.list_models(module=package):
        files.setdefault(name if every else torchvision.get_model_builder(name).__module__, name)
    return list(files.values())


def without_data(name, **settings):
    """One of torchvision's models on the meta device; its RegNets draw their weights in a way that needs numbers."""
    with torch.device("cpu" if name.startswith("regnet") else "meta"):
        return torchvision.get_model(name, **settings).eval().to("meta")


@pytest.mark.parametrize("name", torchvision_models(torchvision))
def test_torchvision_classification(name):
    old = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}  # else they warn
    check_against_torch(without_data(name, **old), *(SIZE if name != "inception_v3" else (1, 3, 299, 299)))


@pytest.mark.parametrize("name", torchvision_models(torchvision.video))
def test_torchvision_video(name):
    check_against_torch(without_data(name), 1, 3, 16, 224, 224)


@pytest.mark.parametrize("name", torchvision_models(torchvision.segmentation, every=True))
def test_torchvision_segmentation(name):
    check_against_torch(without_data(name, weights_backbone=None), *SIZE)


@pytest.mark.parametrize("name", torchvision_models(torchvision.detection, every=True))
def test_torchvision_detection_backbones(name):
    side = 300 if name == "ssd300_vgg16" else 224
    check_against_torch(without_data(name, weights_backbone=None).backbone, 1, 3, side, side)


# ---- transformers: small ones with random weights

TOKENS, TARGETS = 20, 7  # how many go in
WIDE, INSIDE, WORDS = 24, 40, 50
SAME = {"hidden_size": WIDE, "intermediate_size": INSIDE, "num_hidden_layers": 2, "vocab_size": WORDS}
GPT = {"n_embd": WIDE, "n_layer": 2, "n_head": 3, "vocab_size": WORDS, "bos_token_id": 0, "eos_token_id": 0}
T5 = {"d_model": WIDE, "d_ff": INSIDE, "d_kv": 8, "num_heads": 3, "num_layers": 2, "vocab_size": WORDS}
IMAGES = {"image_size": 32, "patch_size": 8, "num_labels": 10}


def attention(queries, keys, narrower=1):
    """Four products with weights, of which those for keys and values may be narrower, and two among the tokens."""
    weights = 2 * queries * WIDE**2 + 2 * keys * WIDE * WIDE // narrower
    return weights + 2 * queries * keys * WIDE


def vit_macs():
    patches = 4 * 4
    layer = attention(patches + 1, patches + 1) + 2 * (patches + 1) * WIDE * INSIDE
    return patches * 3 * 8 * 8 * WIDE + 2 * layer + WIDE * 10


def t5_macs():
    encoder = attention(TOKENS, TOKENS) + 2 * TOKENS * WIDE * INSIDE
    decoder = attention(TARGETS, TARGETS) + attention(TARGETS, TOKENS) + 2 * TARGETS * WIDE * INSIDE
    return 2 * encoder + 2 * decoder + TARGETS * WIDE * WORDS


# {class: its settings, MACs}
KINDS = {
    "BertModel": (
        SAME | {"num_attention_heads": 3},
        2 * (attention(TOKENS, TOKENS) + 2 * TOKENS * WIDE * INSIDE) + WIDE**2,
    ),
    "GPT2LMHeadModel": (
        GPT,
        2 * (attention(TOKENS, TOKENS) + 8 * TOKENS * WIDE**2) + TOKENS * WIDE * WORDS,
    ),
    "LlamaForCausalLM": (
        SAME | {"num_attention_heads": 6, "num_key_value_heads": 2},
        2 * (attention(TOKENS, TOKENS, 3) + 3 * TOKENS * WIDE * INSIDE) + TOKENS * WIDE * WORDS,
    ),
    "MixtralForCausalLM": (  # each token goes to 2 of 4 experts, and each expert has three matrices
        SAME | {"num_attention_heads": 6, "num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2},
        2 * (attention(TOKENS, TOKENS, 3) + TOKENS * WIDE * 4 + 2 * 3 * TOKENS * WIDE * INSIDE) + TOKENS * WIDE * WORDS,
    ),
    "T5ForConditionalGeneration": (T5, t5_macs()),
    "ViTForImageClassification": (SAME | IMAGES | {"num_attention_heads": 3}, vit_macs()),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("kind", KINDS)
def test_transformers(kind, device):
    settings, macs = KINDS[kind]
    made = getattr(transformers, kind)
    model = made(made.config_class(**settings)).eval()
    if (kind, device) == ("MixtralForCausalLM", "meta"):
        model.bfloat16()  # all that torch's meta device knows of a product by groups
    words = torch.zeros(1, TOKENS, dtype=torch.long, device=device)
    inputs = torch.zeros(1, 3, 32, 32, device=device) if kind.startswith("ViT") else words
    if kind.startswith("T5"):
        report = count(functools.partial(model, decoder_input_ids=words[:, :TARGETS]), inputs)
    else:
        report = count(model, inputs)
    assert report.macs == macs
    assert report.uncounted == ()


@pytest.mark.filterwarnings("ignore:CUDA is not available")  # said while it is imported
def test_diffusers():
    blocks = {"down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D")}
    model = diffusers.UNet2DModel(16, block_out_channels=(32, 64), layers_per_block=1, norm_num_groups=8, **blocks)
    before = dict(model.config)
    report = count(functools.partial(model, timestep=5), torch.zeros(1, 3, 16, 16))
    assert dict(model.config) == before and not next(model.parameters()).is_meta
    assert report.macs == macs_by_torch(model.to("meta"), 1, 3, 16, 16, timestep=5)
    assert report.uncounted == ()


# ---- weights


@pytest.mark.parametrize(
    "name, factory, width",
    [
        ("mobilenetv1_100", models.mobilenet_v1, {}),
        ("mobilenetv1_125", models.mobilenet_v1, {"width_multiplier": 1.25}),
        ("ghostnet_050", models.ghostnet, {"width_multiplier": 0.5}),
        ("ghostnet_100", models.ghostnet, {}),
        ("ghostnet_130", models.ghostnet, {"width_multiplier": 1.3}),
        ("tf_efficientnet_lite0", models.efficientnet_lite0, {}),
    ],
)
def test_timms_weights_load_and_give_its_numbers(name, factory, width):
    torch.manual_seed(0)
    theirs = timm.create_model(name).double().eval()
    ours = models.load_weights(factory(**width).double().eval(), theirs.state_dict())
    images = torch.randn(2, 3, 97, 128, dtype=torch.float64)
    with torch.inference_mode():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, rtol=0, atol=1e-8 * expected.std().item())

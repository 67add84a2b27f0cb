"""Texts that may be prototxts: networks with pieces changed, soups of what prototxts are made of, and noise."""

import re

from tests.support import caffe_networks
from tests.support.prototxts import MEANS, NOT_TEXTS

NETWORKS = ["squeezenet", "alexnet", "googlenet", "shufflenet"]
VALUES = """0 1 2 3 -1 -7 224 99999999999999999999999 0x10 017 09 1.5 -inf nan 1e999 true false f MAX "" 'data' "x"
{ } < > [ ] [1,2] [[ : ; , # " ' \\ \x00 \ud800 é dim: [0] shape{} 1e5 -0 -""".split()
SMALL = ["0", "1", "2", "3", "-1", "[1, 2]", "[0, 2, 1]", "true", "{ dim: [0, -1] }", "9", "1000000"]
WORDS = """
layer layers input input_dim input_shape dim shape name type bottom top param include exclude phase TRAIN state stage
convolution_param pooling_param inner_product_param scale_param slice_param reshape_param concat_param permute_param
crop_param num_output kernel_size kernel_h kernel_w pad pad_h pad_t stride stride_w dilation group axis num_axes
bias_term round_mode ceil_mode global_pooling slice_point order upsample_param interp_param zoom_factor min_level
""".split()
TYPES = """
Convolution ConvolutionDepthwise Deconvolution InnerProduct Pooling Slice Concat Eltwise Reshape Flatten Permute Crop
Interp Upsample Scale Bias PReLU BN BatchNorm Normalize Axpy Input DummyData MemoryData Data Python Split Silence
Softmax SoftmaxWithLoss Unknown INNER_PRODUCT
""".split()


def random_text(rng):
    """A text of one of these kinds."""
    return rng.choice([_changed, _layers, _layers, _soup, _noise])(rng)


def _changed(rng):
    """A network's first layers with a few pieces replaced, doubled or dropped."""
    lines = getattr(caffe_networks, rng.choice(NETWORKS))().split("\n")
    pieces = re.findall(r"\s+|\w+|[^\w\s]", "\n".join(lines[: rng.randint(2, 30)]))
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(pieces))
        new = [rng.choice(VALUES), rng.choice(WORDS), rng.choice(TYPES), "", pieces[place] * 2, rng.choice(pieces)]
        pieces[place] = rng.choice(new)
    return "".join(pieces)


def _layers(rng):
    """Layers that fit together in names, with settings that often do not."""
    maps, lines = ["data"], ['input: "data" input_shape { dim: [2, 4, 9, 8] }']
    for place in range(rng.randint(1, 6)):
        kind, odd = rng.choice(TYPES), rng.random() < 0.1
        bottoms = " ".join(
            f'bottom: "{rng.choice(maps)}"' for _ in range(rng.choice([0, 2, 3] if odd else [1, 1, 1, 2]))
        )
        tops = [f"{place}/{number}" for number in range(rng.choice([0, 1, 2, 3] if odd else [1, 1, 1, 2]))]
        inside = rng.choice(["", "num_output: 4 kernel_size: 3", "kernel_size: 2 stride: 2", "num_output: 4 axis: 1"])
        for _ in range(rng.randint(0, 2)):
            inside += f" {rng.choice(WORDS)}: {rng.choice(VALUES if odd else SMALL)}"
        param = "convolution" if "onv" in kind else re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
        made = " ".join(f'top: "{top}"' for top in tops)
        lines.append(f'layer {{ name: "{place}" type: "{kind}" {bottoms} {made} {param}_param {{ {inside} }} }}')
        maps += tops
    return "\n".join(lines)


def _soup(rng):
    pieces = [rng.choice([*WORDS, *VALUES, *TYPES, *MEANS, *NOT_TEXTS]) for _ in range(rng.randint(1, 40))]
    return rng.choice([" ", "\n", ": ", ""]).join(pieces)


def _noise(rng):
    letters = rng.choice(["{}[]<>:;,'\"\\#\n -.0123456789abfxuU", "".join(map(chr, range(0, 1024)))])
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, 200))) * rng.choice([1, 1, 1, 300])

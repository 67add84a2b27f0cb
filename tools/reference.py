"""What timm's models say, written to tests/support/reference/ for the tests, which run without timm.

    python -m tools.reference

``mobilenetv1_100.csv``, ``ghostnet_100.csv``, ``tf_efficientnet_lite0.csv``: the keys of the state dicts in order, with
their shapes.
``logits.csv``: ten logits for each of two images, weights and images filled by filling.py there, float64.

timm is not installed with the book: `make .venv-zoo/installed`, then `.venv-zoo/bin/python -m tools.reference`.
"""

import csv
import importlib.util
import sys
from pathlib import Path

import torch

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "support" / "reference"
KEYS_OF = ["mobilenetv1_100", "ghostnet_100", "tf_efficientnet_lite0"]
LOGITS_OF = ["mobilenetv1_100", "ghostnet_050", "ghostnet_130", "tf_efficientnet_lite0"]
CLASSES = range(0, 1000, 100)


def import_timm():
    """timm, or the end of the program with what to install."""
    if importlib.util.find_spec("timm") is None:
        sys.exit("timm is needed here: make .venv-zoo/installed")
    # torchvision's wheel is made for CUDA; beside the CPU build of torch it misses two operators that timm never calls.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for schema in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        if not hasattr(torch.ops.torchvision, schema.split("(")[0]):
            library.define(schema)
    import timm

    timm.torchvision_operators = library  # they go when the library object goes
    return timm


def write(name, header, rows):
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([header, *rows])
    print(f"written: {FOLDER / name}")


def main():
    timm = import_timm()
    from tests.support.reference.filling import filled, images

    for name in KEYS_OF:
        state = timm.create_model(name).state_dict()
        write(f"{name}.csv", ["key", "shape"], [(key, "x".join(map(str, t.shape))) for key, t in state.items()])
    rows = []
    for name in LOGITS_OF:
        with torch.inference_mode():
            logits = filled(timm.create_model(name), name)(images())
        rows += [(name, image, c, f"{logits[image, c].item():.12g}") for image in range(2) for c in CLASSES]
    write("logits.csv", ["model", "image", "class", "logit"], rows)
    print(f"from timm {timm.__version__}, torch {torch.__version__}")


if __name__ == "__main__":
    main()

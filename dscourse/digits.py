"""Tiny networks on scikit-learn's handwritten digits that differ only in the kind of their convolutions.

1,797 grey images of 8 by 8 pixels, ten classes, no download. The chapter and ``benchmarks/accuracy.py`` share these
few functions. Needs scikit-learn.
"""

import math

import torch
from torch import nn

from dslib.layers import ConvBNAct, DepthwiseSeparableConv2d, GhostModule

KINDS = ("standard", "grouped", "separable", "separable, linear between", "ghost")
GROUPS = 4  # of the grouped kind
POOL = 1200  # the first images of the file are for training and for choices, the other 597 only for the test
BATCH, STEPS = 50, 200
STANDARD = (12, 24)  # channels on maps of 8 by 8, and of 4 by 4
CHANNELS = {  # of networks that equal the standard one in channels, or nearly in MACs or in parameters
    "channels": dict.fromkeys(KINDS[1:], STANDARD),
    "MACs": dict(zip(KINDS[1:], [(24, 44), (31, 64), (31, 64), (16, 34)], strict=True)),
    "params": dict(zip(KINDS[1:], [(20, 40), (23, 48), (23, 48), (14, 32)], strict=True)),
}


def load():
    """Images ``(1797, 1, 8, 8)``, float32 from 0 to 1, and labels ``(1797,)``, int64, in the order of the file."""
    from sklearn.datasets import load_digits  # here, so that dslib does without scikit-learn

    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    return images, torch.tensor(digits.target, dtype=torch.int64)


def layer(kind, in_channels, out_channels, stride=1):
    """A 3x3 layer of one of ``KINDS``, each convolution with its batch norm, every output after a ReLU.

    ``(N, in_channels, H, W)`` to ``(N, out_channels, H_out, W_out)``. Raises ValueError for an unknown kind.
    """
    sizes = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": 3, "stride": stride}
    if kind == "standard":
        return ConvBNAct(**sizes)
    if kind == "grouped":
        return ConvBNAct(**sizes, groups=GROUPS)
    if kind == "ghost":
        return GhostModule(**sizes)
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
    pair = DepthwiseSeparableConv2d(**sizes)
    if kind == "separable, linear between":
        pair.act1 = nn.Identity()
    return pair


def network(kind, channels):
    """A classifier of ``(N, 1, 8, 8)``: a standard layer, three layers of the given kind, one fully connected layer.

    ``channels`` is a pair: of the first two layers, on maps of 8 by 8, and of the other two, on maps of 4 by 4. Output
    ``(N, 10)``.
    """
    first, last = channels
    return nn.Sequential(
        ConvBNAct(1, first),
        layer(kind, first, first),
        layer(kind, first, last, stride=2),
        layer(kind, last, last),
        nn.Flatten(),
        nn.Linear(last * 4 * 4, 10),
    )


def draw_order(labels, generator):
    """A random order of the images ``(count,)`` in which the classes take turns: its beginnings are fair samples."""
    order = torch.randperm(len(labels), generator=generator)
    of_class = nn.functional.one_hot(labels[order])
    turn = (of_class.cumsum(0) * of_class).sum(1)  # the how-manieth of its class
    return order[turn.argsort(stable=True)]


def train(model, images, labels, learning_rate, generator, steps=STEPS):
    """Train in place with Adam on cross entropy; leaves the model in eval mode.

    The rate falls along half a cosine. Each step sees ``BATCH`` images; when
    all have been seen they are shuffled anew.
    """
    adam = torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    model.train()
    queue = torch.empty(0, dtype=torch.int64)
    for step in range(steps):
        if len(queue) < BATCH:
            order = torch.randperm(len(labels), generator=generator)
            queue = torch.cat([queue, order])
        batch, queue = queue[:BATCH], queue[BATCH:]
        falling = (1 + math.cos(math.pi * step / steps)) / 2
        adam.param_groups[0]["lr"] = learning_rate * falling
        adam.zero_grad()
        scores = model(images[batch])
        nn.functional.cross_entropy(scores, labels[batch]).backward()
        adam.step()
    return model.eval()


def wrong(model, images, labels):
    """Positions of the images that a trained model takes for another digit, as a list."""
    with torch.inference_mode():
        return (model(images).argmax(1) != labels).nonzero().flatten().tolist()


def trial(kind, channels, train_images, learning_rate, seed, pool, judged, steps=STEPS):
    """One network trained on so many images of the pool: what it gets wrong of these, and of those it is judged by.

    ``pool`` and ``judged`` are pairs (images, labels). The seed fixes the first weights, the training images and their
    batches; those two are then the same for networks of every kind. Sets torch's seed, and sets it back.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = draw_order(pool[1], generator)[:train_images]
    images, labels = pool[0][chosen], pool[1][chosen]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = network(kind, channels)
    train(model, images, labels, learning_rate, generator, steps)
    return wrong(model, images, labels), wrong(model, *judged)

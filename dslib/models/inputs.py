"""What all networks ask of their input."""

import torch
from torch import fx

SMALLEST = 32  # five halvings leave one pixel of 32


def check_images(x, in_channels):
    """Refuse what is no batch of images: ``(N, in_channels, H, W)``, height and width of at least 32 pixels.

    N may be 0. Raises ValueError with the shape. Chapter: mobilenet_v1.
    """
    if isinstance(x, fx.Proxy):
        return  # torch.fx reads the code with a stand-in that has no shape
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"input must be a torch tensor, got {type(x).__name__}")
    if x.dim() != 4 or x.shape[1] != in_channels:
        raise ValueError(f"input must have shape (N, {in_channels}, H, W), got {tuple(x.shape)}")
    if min(x.shape[2:]) < SMALLEST:
        raise ValueError(f"height and width must be at least {SMALLEST} pixels, got {tuple(x.shape)}")

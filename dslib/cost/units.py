"""Units of a few layers, priced as one: the bottlenecks of ResNet, ResNeXt and ShuffleNet."""

from .operations import conv2d, depthwise_conv2d


def bottleneck(channels, middle_channels, output_size, groups=1):
    """Cost of a bottleneck's three convolutions at stride 1: 1x1 narrowing, 3x3 in groups, 1x1 widening; no norms.

    ``macs = (2 * C * M + 9 * M**2 / G) * H_out * W_out`` with ``M`` middle channels. ``groups=1`` is the ResNet unit,
    more are the ResNeXt unit. The addition at its end is no MAC. Sizes and errors as in :func:`conv2d`.

    Source: ShuffleNet (arXiv 1707.01083), section 3.2; ResNeXt (arXiv 1611.05431), Table 2 with
    ``middle_channels = C * d``. Chapter: group_convolution.
    """
    narrow = conv2d(channels, middle_channels, 1, output_size)
    middle = conv2d(middle_channels, middle_channels, 3, output_size, groups)
    return narrow + middle + conv2d(middle_channels, channels, 1, output_size)


def shufflenet_unit(channels, middle_channels, output_size, groups):
    """Cost of a ShuffleNet unit's three convolutions at stride 1: 1x1 in groups, 3x3 depthwise, 1x1 in groups.

    ``macs = (2 * C * M / G + 9 * M) * H_out * W_out`` with ``M`` middle channels. The shuffle moves channels and
    multiplies nothing. Sizes and errors as in :func:`conv2d`.

    Source: ShuffleNet (arXiv 1707.01083), section 3.2. Chapter: group_convolution.
    """
    narrow = conv2d(channels, middle_channels, 1, output_size, groups)
    middle = depthwise_conv2d(middle_channels, 3, output_size)
    return narrow + middle + conv2d(middle_channels, channels, 1, output_size, groups)

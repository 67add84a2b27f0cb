"""What the layers ask of the shapes that they read, each a tuple, the batch first."""

from .fields import flag, one


def axis_of(shape, setting, field="axis", default=1):
    """The place of an axis, which may be counted from the end."""
    axis = one(setting, field, default, int)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{field} must be one of the axes of {shape}, got {axis}")
    return axis % len(shape)


def with_axes(axes, shape):
    """The shape, if it has at least so many axes."""
    if len(shape) < axes:
        raise ValueError(f"reads {shape}, which has fewer than {axes} axes")
    return shape


def only(wanted, shapes):
    """The shapes, if there are so many."""
    if len(shapes) != wanted:
        raise ValueError(f"reads {len(shapes)} maps where {wanted} can be priced: {listed(shapes)}")
    return shapes


def listed(shapes):
    return ", ".join(map(str, shapes))


def with_bias(setting, weights, outputs):
    """The numbers in a layer's blobs."""
    return [weights, outputs] if flag(setting, "bias_term", True) else [weights]

"""The table of Caffe's layers: what shapes they make, what MACs they do, what they learn.

A function has the shapes that the layer reads, its settings, and the number of its tops. A shape is a tuple, the batch
first. All raise ValueError for what does not fit. Source: ``caffe.proto`` and each layer's ``Reshape`` in Caffe.
"""

from math import prod

from .fields import every, flag, one, whole, wholes
from .shapes import axis_of, listed, only, with_axes, with_bias
from .windows import convolution, deconvolution, depthwise, pooling

# ---- layers that work or learn: (shape, kind, MACs of the whole batch, numbers in each blob that is learned)


def inner_product(shapes, setting, tops):
    (shape,) = only(1, shapes)
    axis, outputs = axis_of(shape, setting), whole(setting, "num_output")
    vectors, weights = prod(shape[:axis]), prod(shape[axis:]) * outputs
    return (*shape[:axis], outputs), "linear", vectors * weights, with_bias(setting, weights, outputs)


def factors(shapes, setting, tops):
    """A factor (or, in a layer Bias, a bias) for each place along ``num_axes`` axes. A second map would give them."""
    axis, axes = axis_of(shapes[0], setting), whole(setting, "num_axes", 1, minimum=-1)
    size = prod(shapes[0][axis:] if axes < 0 else shapes[0][axis : axis + axes])
    learned = [size] if len(shapes) == 1 else []
    if flag(setting, "bias_term", False):
        learned.append(size if learned else prod(shapes[1]))
    return shapes[0], "norm" if len(learned) == 2 else "scale", 0, learned


def batch_norm(shapes, setting, tops):
    """Mean and variance are measured, not learned. A fork of Caffe can have the scale and the shift here too."""
    return shapes[0], "norm", 0, [with_axes(2, shapes[0])[1]] * (2 * flag(setting, "scale_bias", False))


def norm(shapes, setting, tops):
    return shapes[0], "norm", 0, [with_axes(2, shapes[0])[1]] * 2


def normalize(shapes, setting, tops):
    return shapes[0], "norm", 0, [1 if flag(setting, "channel_shared", True) else with_axes(2, shapes[0])[1]]


def prelu(shapes, setting, tops):
    return shapes[0], "activation", 0, [1 if flag(setting, "channel_shared", False) else with_axes(2, shapes[0])[1]]


# ---- layers that only change shapes: the shape of all tops, or a list of their shapes


def kept(shapes, setting, tops):
    return shapes[0]


def eltwise(shapes, setting, tops):
    if len(set(shapes)) > 1:
        raise ValueError(f"needs maps of one shape, reads {listed(shapes)}")
    return shapes[0]


def concat(shapes, setting, tops):
    axis = axis_of(shapes[0], setting, "concat_dim" if "concat_dim" in setting else "axis")
    if len({(*shape[:axis], *shape[axis + 1 :], len(shape)) for shape in shapes}) > 1:
        raise ValueError(f"stacks maps along axis {axis} that differ in another: {listed(shapes)}")
    return *shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :]


def slices(shapes, setting, tops):
    (shape,) = only(1, shapes)
    axis = axis_of(shape, setting, "slice_dim" if "slice_dim" in setting else "axis")
    points = wholes(setting, "slice_point")
    points = points or [shape[axis] * top // tops for top in range(1, tops)]
    parts = [end - start for start, end in zip([0, *points], [*points, shape[axis]], strict=True)]
    if len(parts) != tops or "slice_point" not in setting and shape[axis] % tops:
        raise ValueError(f"cannot slice {shape[axis]} into {tops} tops at {points}")
    return [(*shape[:axis], part, *shape[axis + 1 :]) for part in parts]


def reshape(shapes, setting, tops):
    (shape,) = only(1, shapes)
    dims = wholes(one(setting, "shape", {}, dict), "dim", minimum=-1)
    start = axis_of((*shape, 1), setting, default=0)  # one axis more: it may begin behind the last one
    axes = whole(setting, "num_axes", -1, minimum=-1)
    end = len(shape) if axes < 0 else start + axes
    if end > len(shape) or dims.count(-1) > 1 or any(not dim and start + i >= len(shape) for i, dim in enumerate(dims)):
        raise ValueError(f"cannot reshape {shape} to {dims}")
    made = [*shape[:start], *(dim or shape[start + i] for i, dim in enumerate(dims)), *shape[end:]]
    if -1 in made:
        made[made.index(-1)] = prod(shape) // -prod(made)
    if prod(made) != prod(shape):
        raise ValueError(f"cannot reshape the {prod(shape)} numbers of {shape} to {dims}")
    return tuple(made)


def flatten(shapes, setting, tops):
    (shape,) = only(1, shapes)
    start, end = axis_of(shape, setting), axis_of(shape, setting, "end_axis", -1)
    return *shape[:start], prod(shape[start : end + 1]), *shape[end + 1 :]


def permute(shapes, setting, tops):
    order = wholes(setting, "order", minimum=0)
    order = [*order, *(axis for axis in range(len(shapes[0])) if axis not in order)]
    if sorted(order) != list(range(len(shapes[0]))):
        raise ValueError(f"order {order} does not fit {shapes[0]}")
    return tuple(shapes[0][axis] for axis in order)


def crop(shapes, setting, tops):
    shape, wanted = only(2, shapes)
    axis = axis_of(shape, setting, default=2)
    if len(wanted) != len(shape) or any(map(int.__gt__, wanted[axis:], shape[axis:])):
        raise ValueError(f"cannot crop {shape} to {wanted} from axis {axis} on")
    return *shape[:axis], *wanted[axis:]


def interp(shapes, setting, tops):
    batch, channels, *sizes = with_axes(3, shapes[0])
    if len(shapes) == 2:
        return batch, channels, *shapes[1][2:]
    if "height" in setting:
        return batch, channels, whole(setting, "height"), whole(setting, "width")
    cut = sum(one(setting, field, 0, int) for field in ("pad_beg", "pad_end"))
    shrink, zoom = whole(setting, "shrink_factor", 1), whole(setting, "zoom_factor", 1)
    return batch, channels, *((size + cut - 1) // shrink * zoom + 1 for size in sizes)


def upsample(shapes, setting, tops):
    batch, channels, *sizes = with_axes(3, shapes[0])
    if "upsample_h" in setting:
        return batch, channels, whole(setting, "upsample_h"), whole(setting, "upsample_w")
    scales = [whole(setting, f"scale_{axis}", whole(setting, "scale", 2)) for axis in "hw"]
    cuts = [flag(setting, f"pad_out_{axis}", False) for axis in "hw"]
    return batch, channels, *(size * scale - cut for size, scale, cut in zip(sizes, scales, cuts, strict=True))


def axpy(shapes, setting, tops):
    """SENet's sum of maps, the first of which are scaled: gate, maps, maps."""
    return eltwise(only(3, shapes)[1:], setting, tops)


def number(shapes, setting, tops):
    return ()


# ---- layers that say what shape they give


def given(shapes, setting, tops):
    """Input: one shape for all tops, or one for each."""
    shapes = [tuple(wholes(shape, "dim")) for shape in every(setting, "shape", dict)]
    if len(shapes) not in (1, tops):
        raise ValueError(f"gives {len(shapes)} shapes to {tops} tops")
    return shapes if len(shapes) == tops else shapes * tops


def four_fields(shapes, setting, tops):
    """MemoryData: maps and their labels."""
    batch, *sizes = (whole(setting, field) for field in ("batch_size", "channels", "height", "width"))
    return [(batch, *sizes), (batch,)][:tops]


# ---- the table: type of layer, its function, its settings


WORKING = {
    "Convolution": (convolution, "convolution_param"),
    "ConvolutionDepthwise": (depthwise, "convolution_param"),
    "DepthwiseConv": (depthwise, "convolution_param"),
    "DepthwiseConvolution": (depthwise, "convolution_param"),
    "Deconvolution": (deconvolution, "convolution_param"),
    "InnerProduct": (inner_product, "inner_product_param"),
    "Scale": (factors, "scale_param"),
    "Bias": (factors, "bias_param"),
    "BatchNorm": (batch_norm, "batch_norm_param"),
    "BN": (norm, "bn_param"),
    "Normalize": (normalize, "norm_param"),
    "PReLU": (prelu, "prelu_param"),
}
FREE = {
    "Input": (given, "input_param"),
    "DummyData": (given, "dummy_data_param"),
    "MemoryData": (four_fields, "memory_data_param"),
    "Pooling": (pooling, "pooling_param"),
    "Eltwise": (eltwise, "eltwise_param"),
    "Axpy": (axpy, "axpy_param"),
    "Concat": (concat, "concat_param"),
    "Slice": (slices, "slice_param"),
    "Reshape": (reshape, "reshape_param"),
    "Flatten": (flatten, "flatten_param"),
    "Permute": (permute, "permute_param"),
    "Crop": (crop, "crop_param"),
    "Interp": (interp, "interp_param"),
    "Upsample": (upsample, "upsample_param"),
    **dict.fromkeys(
        "AbsVal BNLL Clip Dropout ELU Exp HardSigmoid HardSwish Log LRN MVN Noise Power ReLU ReLU6 ShuffleChannel "
        "Sigmoid Silence Softmax Split Swish TanH Threshold".split(),
        (kept, ""),
    ),
    **dict.fromkeys(
        "Accuracy ContrastiveLoss EuclideanLoss HDF5Output HingeLoss InfogainLoss MultinomialLogisticLoss "
        "SigmoidCrossEntropyLoss SmoothL1Loss SoftmaxLoss SoftmaxWithLoss".split(),
        (number, ""),
    ),
}
SOURCES = ("Input", "DummyData", "MemoryData")  # they give shapes and read no map
# They cost nothing either. Their shapes stand in other files, depend on what is in the maps, or are rarely needed:
# a layer that works on one is named and not priced.
UNSHAPED = set(
    "AnnotatedData Data HDF5Data ImageData WindowData "
    "ArgMax BatchReindex Filter Im2col PSROIPooling Reduction ROIPooling SPP Tile".split()
)


def known(type):
    """A type as the table has it. The format before January 2015 writes INNER_PRODUCT for InnerProduct."""
    return _BY_LETTERS.get(type.replace("_", "").lower(), type)


_BY_LETTERS = {type.lower(): type for type in (*WORKING, *FREE, *UNSHAPED)}

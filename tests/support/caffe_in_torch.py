"""A prototxt run by torch: what torch counts there, and the shapes that it finds. Nothing of our pricing is used."""

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from dslib.caffe import read_prototxt

FREE = {"ReLU", "LRN", "Dropout", "Softmax", "BatchNorm", "Split"}


def several(value):
    return value if isinstance(value, list) else [value]


class Net:
    """Runs a network of one input, without data (on meta): ``macs`` of an image, ``params``, ``shapes`` of all maps."""

    def __init__(self, text):
        self.params, self.maps = 0, {}
        with FlopCounterMode(display=False) as counter:
            for layer in several(read_prototxt(text)["layer"]):
                made = self.run(layer, [self.maps[name] for name in several(layer.get("bottom", []))])
                tops = several(layer["top"])
                self.maps |= zip(tops, made if isinstance(made, (list, tuple)) else [made] * len(tops), strict=True)
        batch = next(iter(self.maps.values())).shape[0]
        self.macs, rest = divmod(counter.get_total_flops(), 2 * batch)
        assert rest == 0
        self.shapes = {name: tuple(values.shape) for name, values in self.maps.items()}

    def weight(self, *shape):
        weight = torch.empty(shape, device="meta")
        self.params += weight.numel()
        return weight

    def run(self, layer, maps):
        kind = layer["type"]
        if kind in FREE:
            return maps[0]
        return getattr(self, kind)(*maps, **next((v for k, v in layer.items() if k.endswith("_param")), {}))

    def Input(self, shape):
        return torch.empty(shape["dim"], device="meta")

    def Convolution(self, x, num_output, kernel_size, stride=1, pad=0, dilation=1, group=1, bias_term=True):
        weight = self.weight(num_output, x.shape[1] // group, kernel_size, kernel_size)
        return F.conv2d(x, weight, self.weight(num_output) if bias_term else None, stride, pad, dilation, group)

    def Deconvolution(self, x, num_output, kernel_size, stride=1, pad=0, dilation=1, group=1, bias_term=True):
        weight = self.weight(x.shape[1], num_output // group, kernel_size, kernel_size)
        bias = self.weight(num_output) if bias_term else None
        return F.conv_transpose2d(x, weight, bias, stride, pad, groups=group, dilation=dilation)

    def InnerProduct(self, x, num_output, axis=1, bias_term=True):
        x = x.flatten(axis)
        bias = self.weight(num_output) if bias_term else None
        return F.linear(x, self.weight(num_output, x.shape[-1]), bias)

    def Scale(self, x, bias_term=False):
        self.weight(x.shape[1] * (1 + bias_term))
        return x

    def PReLU(self, x, channel_shared=False):
        self.weight(1 if channel_shared else x.shape[1])
        return x

    def Pooling(self, x, kernel_size=None, stride=1, pad=0, pool="MAX", global_pooling=False, ceil_mode=True):
        if global_pooling:
            return F.adaptive_avg_pool2d(x, 1)
        return F.max_pool2d(x, kernel_size, stride, pad, ceil_mode=ceil_mode)

    def ShuffleChannel(self, x, group):
        return F.channel_shuffle(x, group)

    def Eltwise(self, *maps):
        return sum(maps[1:], start=maps[0])

    def Concat(self, *maps, axis=1):
        return torch.cat(maps, axis)

    def Slice(self, x, slice_point, axis=1):
        return torch.tensor_split(x, several(slice_point), axis)

    def Reshape(self, x, shape):
        return x.reshape([x.shape[place] if dim == 0 else dim for place, dim in enumerate(shape["dim"])])

    def Flatten(self, x, axis=1, end_axis=-1):
        return x.flatten(axis, end_axis)

    def Permute(self, x, order):
        return x.permute(order)

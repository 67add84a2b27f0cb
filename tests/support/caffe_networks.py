"""Well-known networks as Caffe files: our own short statements of what their authors' files hold, without training."""


class Text:
    """A prototxt, told layer by layer; each method returns the name of the map that it makes."""

    def __init__(self, *dims):
        self.lines = [
            f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ dim: {list(dims)} }} }} }}'
        ]

    def __str__(self):
        return "\n".join(self.lines)

    def layer(self, kind, *bottoms, in_place=False, **settings):
        """A layer of this type; ``settings``: one message, such as ``pooling_param={"stride": 2}``."""
        name = f"{kind}{len(self.lines)}"
        top = bottoms[0] if in_place else name
        read = " ".join(f'bottom: "{bottom}"' for bottom in bottoms)
        inside = " ".join(f"{field} {{ {fields(values)} }}" for field, values in settings.items())
        self.lines.append(f'layer {{ name: "{name}" type: "{kind}" {read} top: "{top}" {inside} }}')
        return top

    def conv(self, x, outputs, kernel_size, stride=1, pad=0, group=1, bias=True, norm=False, relu=True):
        settings = {"num_output": outputs, "kernel_size": kernel_size, "stride": stride, "pad": pad, "group": group}
        x = self.layer("Convolution", x, convolution_param=settings | {"bias_term": bias})
        x = self.norm(x) if norm else x
        return self.layer("ReLU", x, in_place=True) if relu else x

    def norm(self, x, in_place=True):
        x = self.layer("BatchNorm", x, in_place=in_place)
        return self.layer("Scale", x, in_place=True, scale_param={"bias_term": True})

    def pool(self, x, kernel_size, stride, pad=0, **more):
        return self.layer("Pooling", x, pooling_param={"kernel_size": kernel_size, "stride": stride, "pad": pad} | more)

    def global_pool(self, x):
        return self.layer("Pooling", x, pooling_param={"pool": "AVE", "global_pooling": True})

    def fc(self, x, outputs):
        return self.layer("InnerProduct", x, inner_product_param={"num_output": outputs})


def fields(settings):
    """The fields of a message, side by side."""
    texts = {True: "true", False: "false"}
    return " ".join(f"{name}: {texts[v] if isinstance(v, bool) else v}" for name, v in settings.items())


def squeezenet():
    """SqueezeNet 1.1, https://github.com/forresti/SqueezeNet: eight pairs of a squeeze and two expands side by side."""
    net = Text(1, 3, 227, 227)
    x = net.conv("data", 64, 3, stride=2)
    for stage in [(16, 16), (32, 32), (48, 48, 64, 64)]:
        x = net.pool(x, 3, 2)
        for few in stage:
            x = net.conv(x, few, 1)
            x = net.layer("Concat", net.conv(x, 4 * few, 1), net.conv(x, 4 * few, 3, pad=1))
    x = net.conv(net.layer("Dropout", x, in_place=True), 1000, 1)
    net.layer("Softmax", net.global_pool(x))
    return str(net)


def alexnet():
    """AlexNet, as in Caffe's own models: ten images, three convolutions of two groups."""
    net = Text(10, 3, 227, 227)
    x = net.pool(net.layer("LRN", net.conv("data", 96, 11, stride=4)), 3, 2)
    x = net.pool(net.layer("LRN", net.conv(x, 256, 5, pad=2, group=2)), 3, 2)
    x = net.conv(net.conv(x, 384, 3, pad=1), 384, 3, pad=1, group=2)
    x = net.pool(net.conv(x, 256, 3, pad=1, group=2), 3, 2)
    for _ in range(2):
        x = net.layer("Dropout", net.layer("ReLU", net.fc(x, 4096), in_place=True), in_place=True)
    net.layer("Softmax", net.fc(x, 1000))
    return str(net)


def googlenet():
    """GoogLeNet, as in Caffe's own models: nine blocks of four branches (arXiv 1409.4842, Table 1)."""
    net = Text(10, 3, 224, 224)
    x = net.layer("LRN", net.pool(net.conv("data", 64, 7, stride=2, pad=3), 3, 2))
    x = net.pool(net.layer("LRN", net.conv(net.conv(x, 64, 1), 192, 3, pad=1)), 3, 2)
    stages = [
        [(64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)],
        [
            (192, 96, 208, 16, 48, 64),
            (160, 112, 224, 24, 64, 64),
            (128, 128, 256, 24, 64, 64),
            (112, 144, 288, 32, 64, 64),
            (256, 160, 320, 32, 128, 128),
        ],
        [(256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)],
    ]
    for number, stage in enumerate(stages):
        x = net.pool(x, 3, 2) if number else x
        for one, few_3, three, few_5, five, pooled in stage:
            branches = (
                net.conv(x, one, 1),
                net.conv(net.conv(x, few_3, 1), three, 3, pad=1),
                net.conv(net.conv(x, few_5, 1), five, 5, pad=2),
                net.conv(net.pool(x, 3, 1, pad=1), pooled, 1),
            )
            x = net.layer("Concat", *branches)
    net.layer("Softmax", net.fc(net.layer("Dropout", net.pool(x, 7, 1), in_place=True), 1000))
    return str(net)


def resnet_50():
    """ResNet-50, https://github.com/KaimingHe/deep-residual-networks: the strides are in 1x1 convolutions."""
    net = Text(1, 3, 224, 224)
    x = net.pool(net.conv("data", 64, 7, stride=2, pad=3, norm=True), 3, 2)
    for few, blocks in [(64, 3), (128, 4), (256, 6), (512, 3)]:
        for block in range(blocks):
            stride = 2 if block == 0 and few > 64 else 1
            short = x if block else net.conv(x, 4 * few, 1, stride, bias=False, norm=True, relu=False)
            y = net.conv(x, few, 1, stride, bias=False, norm=True)
            y = net.conv(y, few, 3, pad=1, bias=False, norm=True)
            y = net.conv(y, 4 * few, 1, bias=False, norm=True, relu=False)
            x = net.layer("ReLU", net.layer("Eltwise", short, y), in_place=True)
    net.layer("Softmax", net.fc(net.pool(x, 7, 1), 1000))
    return str(net)


def mobilenet_v2():
    """MobileNetV2, https://github.com/shicai/MobileNet-Caffe: the first block too has a convolution that should widen.

    The 64 channels come at 28x28 pixels, as in the first version of arXiv 1801.04381, Table 2.
    """
    net = Text(1, 3, 224, 224)
    x, channels = net.conv("data", 32, 3, stride=2, pad=1, bias=False, norm=True), 32
    table = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 1), (6, 96, 3, 2), (6, 160, 3, 2), (6, 320, 1, 1)]
    for widening, outputs, blocks, stride in table:
        for block in range(blocks):
            wide = widening * channels
            y = net.conv(x, wide, 1, bias=False, norm=True)
            y = net.conv(y, wide, 3, 1 if block else stride, pad=1, group=wide, bias=False, norm=True)
            y = net.conv(y, outputs, 1, bias=False, norm=True, relu=False)
            x, channels = net.layer("Eltwise", x, y) if block else y, outputs
    x = net.global_pool(net.conv(x, 1280, 1, bias=False, norm=True))
    net.layer("Softmax", net.conv(x, 1000, 1, relu=False))
    return str(net)


def densenet_121():
    """DenseNet-121, https://github.com/shicai/DenseNet-Caffe: norms come first, the first pool rounds down."""
    net = Text(1, 3, 224, 224)
    x = net.conv("data", 64, 7, stride=2, pad=3, bias=False, norm=True)
    x, channels = net.pool(x, 3, 2, pad=1, ceil_mode=False), 64
    for number, layers in enumerate([6, 12, 24, 16]):
        if number:
            channels //= 2
            x = net.layer("ReLU", net.norm(x, in_place=False), in_place=True)
            x = net.pool(net.conv(x, channels, 1, bias=False, relu=False), 2, 2)
        for _ in range(layers):
            y = net.layer("ReLU", net.norm(x, in_place=False), in_place=True)
            y = net.conv(y, 128, 1, bias=False, norm=True)
            x = net.layer("Concat", x, net.conv(y, 32, 3, pad=1, bias=False, relu=False))
            channels += 32
    x = net.global_pool(net.layer("ReLU", net.norm(x, in_place=False), in_place=True))
    net.conv(x, 1000, 1, relu=False)
    return str(net)


def shufflenet():
    """ShuffleNet with 3 groups, https://github.com/farmingyard/ShuffleNet: narrower than arXiv 1707.01083, Table 1.

    A unit with stride 2 has a fourth of the channels that it adds, where the paper has a fourth of all.
    """
    net = Text(1, 3, 224, 224)
    x, channels = net.pool(net.conv("data", 24, 3, stride=2, pad=1, bias=False, norm=True), 3, 2), 24
    for outputs, units in [(240, 4), (480, 8), (960, 4)]:
        for unit in range(units):
            stride, made, first = (1, outputs, False) if unit else (2, outputs - channels, channels == 24)
            y = net.conv(x, made // 4, 1, group=1 if first else 3, bias=False, norm=True)
            y = y if first else net.layer("ShuffleChannel", y, shuffle_channel_param={"group": 3})
            y = net.conv(y, made // 4, 3, stride, pad=1, group=made // 4, bias=False, norm=True, relu=False)
            y = net.conv(y, made, 1, group=3, bias=False, norm=True, relu=False)
            short = x if unit else net.pool(x, 3, 2, pool="AVE")
            x = net.layer("ReLU", net.layer("Eltwise" if unit else "Concat", short, y), in_place=True)
            channels = outputs
    net.layer("Softmax", net.fc(net.global_pool(x), 1000))
    return str(net)

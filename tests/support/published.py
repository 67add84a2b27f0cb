"""Figures as papers and tools print them, each once and with its source; what we compute is compared with these.

They are texts, since the digits printed say how exact a figure is: :func:`rounds` and :func:`is_cut` read them. MACs
and parameters are in millions unless a comment says otherwise.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal


def rounds(printed, exact, unit=10**6):
    """Whether ``exact``, in units, is rounded to the printed figure."""
    return _to_digits(exact, printed, unit, ROUND_HALF_UP) == Decimal(printed)


def is_cut(printed, exact, unit=10**6):
    """Whether ``exact``, in units, is cut off to the printed figure and not rounded to it."""
    return _to_digits(exact, printed, unit, ROUND_DOWN) == Decimal(printed) and not rounds(printed, exact, unit)


def _to_digits(exact, printed, unit, how):
    return (Decimal(exact) / unit).quantize(Decimal(printed), how)


# ---- MobileNet: Howard et al. 2017, arXiv 1704.04861

# Table 2: percent of the Mult-Adds and of the parameters, by kind of layer
MOBILENET_TABLE_2 = {
    "pointwise": ("94.86", "74.59"),
    "depthwise": ("3.06", "1.06"),
    "standard": ("1.19", "0.02"),  # 1.19 is a misprint of 1.91
    "linear": ("0.18", "24.33"),
}
# Table 3: 512 channels at 14x14 as a standard layer, as a pair, the pair with 384 channels, that at 10x10
MOBILENET_TABLE_3 = [("462", "2.36"), ("52.3", "0.27"), ("29.6", "0.15"), ("15.1", "0.15")]
MOBILENET_TABLE_4 = {"standard": ("4866", "29.3"), "separable": ("569", "4.2")}
MOBILENET_TABLE_5 = {"narrow": ("325", "2.6"), "shallow": ("307", "2.9")}
MOBILENET_TABLE_6 = {1: ("569", "4.2"), 0.75: ("325", "2.6"), 0.5: ("149", "1.3"), 0.25: ("41", "0.5")}  # by width
MOBILENET_TABLE_7 = {224: "569", 192: "418", 160: "290", 128: "186"}  # by size; 4.2 million parameters in each row
MOBILENET_TABLE_8_VGG_16 = ("153e2", "138")
MOBILENET_TABLE_9 = {"0.5 at 160": ("76", "1.32"), "SqueezeNet": ("17e2", "1.25"), "AlexNet": ("72e1", "6e1")}
# Table 10, photographs of dogs: by width and size
MOBILENET_TABLE_10 = {
    (1, 224): ("569", "3.3"),
    (0.75, 224): ("325", "1.9"),
    (1, 192): ("418", "3.3"),
    (0.75, 192): ("239", "1.9"),
}
# Table 12, attributes of faces: by width and size
MOBILENET_TABLE_12 = {
    (1, 224): ("568", "3.2"),
    (0.5, 224): ("149", "0.8"),
    (0.25, 224): ("45", "0.2"),
    (1, 128): ("185", "3.2"),
    (0.5, 128): ("48", "0.8"),
    (0.25, 128): ("15", "0.2"),
}
MOBILENET_TABLE_14_FIRST_OF_075_AT_128 = "166"  # there are two such rows; this one fits 160 pixels
MOBILENET_SECTION_3_1_FEWER = (8, 9)  # "between 8 and 9 times less computation" than standard convolutions
MOBILENET_SECTION_4_2_SQUEEZENET = "22"  # "22x less computation" than SqueezeNet, with 0.5 at 160

# ---- GhostNet: Han et al. 2020, arXiv 1911.11907

GHOSTNET_TABLE_7 = {0.5: ("42", "2.6"), 1: ("141", "5.2"), 1.3: ("226", "7.3")}  # by width
GHOSTNET_VGG_16 = ("313", "15.0")  # Tables 3 and 4, CIFAR
# Tables 3 and 4, Ghost-VGG-16: by ratio s and cheap kernel d
GHOSTNET_TABLES_3_AND_4 = {
    (2, 3): ("158", "7.7"),
    (3, 3): ("107", "5.2"),
    (4, 3): ("80", "4.0"),
    (5, 3): ("65", "3.3"),
    (2, 1): ("157", "7.6"),
    (2, 5): ("160", "7.7"),
    (2, 7): ("163", "7.7"),
}
GHOSTNET_TABLE_5 = {"ResNet-56": ("125", "0.85"), "Ghost-ResNet-56, s = 2": ("63", "0.43")}

# ---- others

EFFICIENTNET_LITE0 = (
    "407",
    "4.7",
)  # the authors' README, tensorflow/tpu, models/official/efficientnet/lite: MAdds, params

ALEXNET_PARAMS = "6e1"  # Krizhevsky et al. 2012, abstract
VGG_16_PARAMS = "138"  # Simonyan and Zisserman 2015, arXiv 1409.1556, Table 2
# Xie et al. 2017, arXiv 1611.05431, Table 1: parameters, and FLOPs, which are MACs, in thousand millions
RESNEXT_TABLE_1 = {"ResNet-50": ("25.5", "4.1"), "ResNeXt-50": ("25.0", "4.2")}
# the same, Table 2: about 70 thousand parameters in a block with these groups C and channels d in each
RESNEXT_TABLE_2 = ("7e1", {1: 64, 2: 40, 4: 24, 8: 14, 32: 4})

# ---- files for Caffe, by those who published the networks: the addresses are in tests/support/caffe_networks.py

CAFFE_NETWORKS = {
    "squeezenet": ("387.7", "1.235496"),
    "mobilenet_v2": ("429.111936", "3.505960"),
    "resnet_50": ("3858", "25.557096"),
    "alexnet": ("724.4", "60.965224"),
    "googlenet": ("1582.7", "6.998552"),
    "densenet_121": ("2834", "7.978856"),
    "shufflenet": ("127.1", "1.81"),
}

"""Caffe's two files without Caffe: the layers as text (prototxt), read, written and priced; the weights, written.

Caffe is an old framework whose files are still about, and OpenCV 4 runs them (``cv2.dnn.readNetFromCaffe``). The text
is a **message**: fields with values, some of which are messages. Here a message is a dict; a field that stands more
than once has a list of values; a name without quotes, such as ``AVE``, is a :class:`Word`.

``python -m dslib.caffe deploy.prototxt`` prints what :func:`price_file` finds.
"""

from .price import PricedText, Uncounted, price, price_file
from .read import Word, read_prototxt
from .weights import write_caffemodel
from .write import write_prototxt

__all__ = [
    "PricedText",
    "Uncounted",
    "Word",
    "price",
    "price_file",
    "read_prototxt",
    "write_caffemodel",
    "write_prototxt",
]

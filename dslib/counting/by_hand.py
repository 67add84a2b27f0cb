"""Convolutions written by hand from elementwise operations: multiplications whose products are summed.

The rule. A multiplication of two tensors makes products. They are *summed* once two terms of products are added, or
one is reduced by a sum or a mean to fewer numbers. Then each multiplication is a MAC by hand. A sum may start from
zeros. Where anything else is added, a bias, a residual connection, it ends: a product that was alone till then stays
elementwise, as in a norm or a layer scale.

Its limits. A gate that adds two products, ``a * x + (1 - a) * y``, looks like a sum of products, and is counted; so are
the squares in a mean of squares. A sum that starts from a bias is missed, and so is a factor that is a plain number. A
product is followed through views and copies, not through other operations; all views of one memory are taken for one.
Tensors that hold products are kept alive until the count is done.
"""

from dataclasses import dataclass
from math import prod

import torch

from .prices import aten
from .report import Row
from .tree import tensors

MULTIPLY = {aten.mul, aten.mul_}
MULTIPLY_ADD = {aten.addcmul, aten.addcmul_}
ADD = {aten.add, aten.add_, aten.sub, aten.sub_}
REDUCE = {aten.sum, aten.mean}
ZEROS = {aten.zeros, aten.zeros_like, aten.new_zeros, aten.zero, aten.zero_}
FILL = {aten.full, aten.full_like, aten.new_full, aten.fill, aten.fill_}  # with their last argument
COPY = {aten.clone, aten._to_copy, aten.cat, aten.stack, aten.constant_pad_nd, aten.copy_}
COPY |= {aten.slice_backward, aten.select_backward}  # places the numbers among zeros


@dataclass
class Multiplication:
    """One elementwise multiplication: its place among the rows, and whether its products were summed."""

    position: int
    row: Row
    summed: bool = False


@dataclass
class Terms:
    """What a tensor is a sum of: how many products, and the multiplications not yet known to be MACs."""

    products: int
    waiting: list
    zeros: bool = False


class Ledger:
    """Follows products from the multiplication that makes them to the sum that takes them in."""

    def __init__(self):
        self.memory = {}  # {storage: (a tensor of it, kept alive, and its Terms)}
        self.multiplications = []

    def see(self, func, args, out, watch):
        """Take note of one operation: new products, sums of them, and copies that carry them on."""
        packet, among = func.overloadpacket, tensors(args)
        if packet in MULTIPLY and len(among) == 2:
            self._set(out, self._product(packet, among, out, watch))
        elif packet in MULTIPLY_ADD:
            self._set(out, _sum([self._of(among[0]), self._product(packet, among[1:], out, watch)]))
        elif packet in ADD:
            self._set(out, _sum([self._of(term) for term in args[:2]]))
        elif packet in REDUCE and among[0].numel() > out.numel():
            terms = self._of(among[0])
            self._set(out, _sum([terms, Terms(terms.products, [])]))  # two numbers of one product or more
        elif packet in ZEROS or packet in FILL and not isinstance(args[-1], torch.Tensor) and args[-1] == 0:
            self._set(out, Terms(0, [], zeros=True))
        elif packet in COPY:
            self._set(out, _side_by_side([self._of(tensor) for tensor in among]))
        elif args and out is args[0] and torch.Tag.inplace_view not in func.tags:
            self._set(out, Terms(0, []))  # worked on in place: no products any more

    def settled(self, rows):
        """The rows of the watch, and one for each multiplication that was summed, in running order."""
        rows = list(rows)
        for one in reversed(self.multiplications):
            if one.summed:
                rows.insert(one.position, one.row)
        return rows

    def _product(self, packet, factors, out, watch):
        shapes = tuple(tuple(factor.shape) for factor in factors)
        name = packet.__name__.removesuffix("_")
        row = Row(watch.where(), name, shapes, tuple(out.shape), 1, 0, 0, by_hand_macs=prod(out.shape))
        self.multiplications.append(Multiplication(len(watch.rows), row))
        return Terms(1, [self.multiplications[-1]])

    def _of(self, term):
        if not isinstance(term, torch.Tensor):
            return Terms(0, [], zeros=term == 0)
        _, terms = self.memory.get(term.untyped_storage()._cdata, (None, Terms(0, [])))
        return terms

    def _set(self, tensor, terms):
        if terms.products or terms.zeros:
            self.memory[tensor.untyped_storage()._cdata] = tensor, terms
        else:
            self.memory.pop(tensor.untyped_storage()._cdata, None)  # overwritten by something else


def _sum(parts):
    together = Terms(sum(part.products for part in parts), _waiting(parts))
    if together.products > 1:
        for multiplication in together.waiting:
            multiplication.summed = True
        together.waiting = []
    started_elsewhere = any(not part.products and not part.zeros for part in parts)
    return Terms(0, []) if started_elsewhere else together


def _side_by_side(parts):
    """What copies hold, and several tensors in one: no number of theirs is added to another."""
    return Terms(max(part.products for part in parts), _waiting(parts), all(part.zeros for part in parts))


def _waiting(parts):
    return [one for part in parts for one in part.waiting]

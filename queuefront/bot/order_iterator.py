"""The iterator over our orders.

A compiled one is a few words and its position lives on the stack of the function that called `values()`: making it
allocates nothing, and walking counts no references, which would cost a strategy of twenty orders a fifth of its time. So it
may be passed on to other compiled functions, but neither returned nor put into a list or a struct: that does not compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils, errors, imputils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr, make_attribute_wrapper, models, register_model

from queuefront.bot.binding import bind_in_place, bind_method
from queuefront.bot.order_compiled import view_order
from queuefront.bot.surface import fields_of, struct_type
from queuefront.core.jit import IS_INTERPRETED, borrowing, compiled

__all__ = ["OrderIterator", "bind_iterator"]

_STALE = -2
_STAYS = (
    "an iterator over orders lives in the function that called values(); it can be passed on, but not be returned or "
    "kept in a list, a tuple of a list, a struct or a generator: pass the orders instead"
)


class OrderIterator:
    """Walks the orders that existed when it was made.

    `has_next()` advances and says whether there is an order; `get()` returns it; `next()` does both and returns
    None at the end.
    """

    def __init__(self, orders: Any) -> None:
        self._orders, self._position, self._end = orders, -1, len(orders)

    def has_next(self) -> bool:
        """Advance; return whether there is an order."""
        if self._position < self._end:
            self._position += 1
        return self._position < min(self._end, len(self._orders))

    def get(self) -> Any:
        """Return the view of the current order; call it after has_next() returned True."""
        if not 0 <= self._position < min(self._end, len(self._orders)):
            raise IndexError("there is no current order; call get() only after has_next() returned True")
        return order_at(self._orders, np.int64(self._position))

    def next(self) -> Any:
        """Advance and return the view of the order, or None at the end."""
        return self.get() if self.has_next() else None


@compiled
def order_at(orders, position):
    """Return the view of the order at a position that exists."""
    return view_order(orders, position)


class OrderIteratorType(types.Type):  # type: ignore[misc]
    """Numba type of an iterator over orders."""

    def __init__(self, orders: Any) -> None:
        self.orders = orders
        super().__init__(name=f"OrderIterator({orders})")


@register_model(OrderIteratorType)
class _IteratorModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        members = [("place", types.voidptr), ("slot", types.voidptr), ("round", types.int64), ("end", types.int64)]
        super().__init__(dmm, fe_type, members)

    def as_return(self, _builder: Any, _value: Any) -> Any:
        raise errors.LoweringError(_STAYS)

    def as_data(self, _builder: Any, _value: Any) -> Any:
        raise errors.LoweringError(_STAYS)


make_attribute_wrapper(OrderIteratorType, "end", "_end")


@infer_getattr
class _OrdersOfIterator(AttributeTemplate):  # type: ignore[misc]
    key = OrderIteratorType

    def resolve__orders(self, iterator_type: Any) -> Any:
        return iterator_type.orders


@lower_getattr(OrderIteratorType, "_orders")
def _orders_of(context: Any, builder: Any, iterator_type: Any, value: Any) -> Any:
    iterator = cgutils.create_struct_proxy(iterator_type)(context, builder, value=value)
    orders = cgutils.create_struct_proxy(iterator_type.orders)(context, builder)
    orders.meminfo = builder.bitcast(iterator.place, orders.meminfo.type)
    return imputils.impl_ret_borrowed(context, builder, iterator_type.orders, orders._getvalue())


# The slot on the stack: position, and the round. A call of `values()` that is executed again, in a loop, uses its slot
# again; an iterator of an earlier round is then refused.
_SLOT = ir.ArrayType(ir.IntType(64), 2)


def _field(builder: Any, slot: Any, number: int) -> Any:
    return cgutils.gep_inbounds(builder, builder.bitcast(slot, _SLOT.as_pointer()), 0, number)


def _build_iterator(context: Any, builder: Any, orders_type: Any, orders: Any) -> Any:
    slot = cgutils.alloca_once(builder, _SLOT)  # zero where the function begins
    this_round = builder.add(builder.load(_field(builder, slot, 1)), ir.Constant(ir.IntType(64), 1))
    builder.store(ir.Constant(ir.IntType(64), -1), _field(builder, slot, 0))
    builder.store(this_round, _field(builder, slot, 1))
    iterator = cgutils.create_struct_proxy(OrderIteratorType(orders_type))(context, builder)
    map_of_orders = cgutils.create_struct_proxy(orders_type)(context, builder, value=orders)
    iterator.place = builder.bitcast(map_of_orders.meminfo, cgutils.voidptr_t)
    iterator.slot = builder.bitcast(slot, cgutils.voidptr_t)
    iterator.round = this_round
    iterator.end = fields_of(context, builder, orders_type, orders).count
    return iterator._getvalue()


def bind_iterator(orders_class: type) -> None:
    """Give a map of orders its method `values`."""
    orders_class.values = lambda self: OrderIterator(self)  # type: ignore[attr-defined]  # noqa: PLW0108 - a method
    orders_class.values.__doc__ = "Return an iterator over the orders, oldest first."  # type: ignore[attr-defined]
    if not IS_INTERPRETED:
        bind_in_place(struct_type(orders_class), "values", OrderIteratorType, _build_iterator)


if not IS_INTERPRETED:

    @intrinsic
    def _position(_context, iterator):
        """Return the position of an iterator; of one whose slot serves another by now, -2."""

        def build(context, builder, signature, args):
            it = cgutils.create_struct_proxy(iterator)(context, builder, value=args[0])
            is_valid = builder.icmp_signed("==", builder.load(_field(builder, it.slot, 1)), it.round)
            position = builder.load(_field(builder, it.slot, 0))
            return builder.select(is_valid, position, ir.Constant(ir.IntType(64), _STALE))

        return types.int64(iterator), build

    @intrinsic
    def _move(_context, iterator, position):
        """Set the position of an iterator."""

        def build(context, builder, signature, args):
            it = cgutils.create_struct_proxy(iterator)(context, builder, value=args[0])
            builder.store(args[1], _field(builder, it.slot, 0))
            return context.get_dummy_value()

        return types.void(iterator, types.int64), build

    @borrowing
    def _advance(iterator):
        position = _position(iterator)
        if position == _STALE:
            raise RuntimeError("this iterator over orders was replaced by a later one from the same place in a loop")
        if position < iterator._end:
            position += 1
            _move(iterator, position)
        return position < min(iterator._end, iterator._orders.count)

    @borrowing
    def _current(iterator):
        position = _position(iterator)
        if not 0 <= position < min(iterator._end, iterator._orders.count):
            raise IndexError("there is no current order; call get() only after has_next() returned True")
        return view_order(iterator._orders, position)

    @borrowing
    def _next(iterator):
        if not _advance(iterator):
            return None
        return view_order(iterator._orders, _position(iterator))

    for _name, _target in (("has_next", _advance), ("get", _current), ("next", _next)):
        bind_method(OrderIteratorType, _name, _target, [], [], is_entry=False)

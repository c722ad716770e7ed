"""The view of one order that a strategy reads.

A view is two words, where the map of orders lies and a position in it, and lives on the stack: reading ten orders allocates
nothing and counts no references, because the map lives as long as the backtest that the strategy was called with. It shows
the order as it is now; it is valid until the next call that advances time or drops orders.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.core import cgutils, imputils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    box,
    infer_getattr,
    intrinsic,
    lower_getattr,
    make_attribute_wrapper,
    models,
    register_model,
)

from queuefront.bot.binding import bind_attribute
from queuefront.core.enums import NEW, NONE, PARTIALLY_FILLED
from queuefront.core.jit import IS_INTERPRETED, borrowing, internal

__all__ = ["Order", "copy_message", "copy_order", "view_order"]


@borrowing
def copy_order(target, source):
    """Copy an ORDER record, field by field: as one assignment it would be loaded as an array of 128 bytes, which takes LLVM
    long to compile wherever it is used.
    """
    target["order_id"] = source["order_id"]
    target["price_tick"] = source["price_tick"]
    target["order_lots"] = source["order_lots"]
    target["leaves_lots"] = source["leaves_lots"]
    target["exec_lots"] = source["exec_lots"]
    target["exec_price_tick"] = source["exec_price_tick"]
    target["exch_ts"] = source["exch_ts"]
    target["local_ts"] = source["local_ts"]
    target["due_ts"] = source["due_ts"]
    target["prior_price_tick"] = source["prior_price_tick"]
    target["prior_order_lots"] = source["prior_order_lots"]
    target["qty_ahead"] = source["qty_ahead"]
    target["traded_qty"] = source["traded_qty"]
    target["arrival_qty_ahead"] = source["arrival_qty_ahead"]
    target["rest_row"] = source["rest_row"]
    target["rest_no"] = source["rest_no"]
    target["rest_lots"] = source["rest_lots"]
    target["rest_ahead_lots"] = source["rest_ahead_lots"]
    target["acted_row"] = source["acted_row"]
    target["memory_0"] = source["memory_0"]
    target["memory_1"] = source["memory_1"]
    target["reserve_tick"] = source["reserve_tick"]
    target["seen_row"] = source["seen_row"]
    target["seen_lots"] = source["seen_lots"]
    target["own_level"] = source["own_level"]
    target["side"] = source["side"]
    target["is_maker"] = source["is_maker"]
    target["order_type"] = source["order_type"]
    target["time_in_force"] = source["time_in_force"]
    target["req"] = source["req"]
    target["status"] = source["status"]
    target["is_execution"] = source["is_execution"]
    target["is_technical"] = source["is_technical"]
    target["reserved"] = source["reserved"]


@borrowing
def copy_message(target, source):
    """Copy what a message between us and the exchange carries of an ORDER record; the rest of `target` stays as it is."""
    target["order_id"] = source["order_id"]
    target["price_tick"] = source["price_tick"]
    target["order_lots"] = source["order_lots"]
    target["leaves_lots"] = source["leaves_lots"]
    target["exec_lots"] = source["exec_lots"]
    target["exec_price_tick"] = source["exec_price_tick"]
    target["exch_ts"] = source["exch_ts"]
    target["local_ts"] = source["local_ts"]
    target["qty_ahead"] = source["qty_ahead"]
    target["arrival_qty_ahead"] = source["arrival_qty_ahead"]
    target["rest_row"] = source["rest_row"]
    target["rest_no"] = source["rest_no"]
    target["rest_lots"] = source["rest_lots"]
    target["rest_ahead_lots"] = source["rest_ahead_lots"]
    target["acted_row"] = source["acted_row"]
    target["side"] = source["side"]
    target["is_maker"] = source["is_maker"]
    target["order_type"] = source["order_type"]
    target["time_in_force"] = source["time_in_force"]
    target["req"] = source["req"]
    target["status"] = source["status"]
    target["is_execution"] = source["is_execution"]
    target["is_technical"] = source["is_technical"]


class OrderArrays(NamedTuple):
    """The part of a map of orders that a view reads."""

    records: np.ndarray[Any, Any]
    grid: np.ndarray[Any, Any]


class Order:
    """One of our orders.

    Attributes
    ----------
    order_id : uint64, the strategy's own.
    side : BUY or SELL.   order_type : LIMIT or MARKET.   time_in_force : GTC, GTX, FOK or IOC.
    price, price_tick : the limit, as a price and in ticks.
    qty, leaves_qty : asked for by the last submit or modify; still open.
    exec_qty, exec_price, exec_price_tick : of the last execution.   maker : it was passive.
    status : NONE until confirmed, then NEW, PARTIALLY_FILLED, FILLED, EXPIRED or CANCELED.
    req : the pending request: NONE, NEW, CANCELED or REPLACED.
    exch_timestamp : ns, last processed by the exchange, 0 before.   local_timestamp : ns, of our last request.
    cancellable : it is open and no request is pending.
    tick_size, lot_size : of the instrument.
    """

    def __init__(self, records: np.ndarray[Any, Any], index: int, grid: np.ndarray[Any, Any]) -> None:
        self._orders = OrderArrays(records, grid)
        self._index = index

    def __repr__(self) -> str:
        return (
            f"<Order {self.order_id}: {'buy' if self.side > 0 else 'sell'} {self.qty:g} @ {self.price:g}, "  # type: ignore[attr-defined]
            f"status {self.status}, req {self.req}, leaves {self.leaves_qty:g}>"  # type: ignore[attr-defined]
        )


class OrderType(types.Type):  # type: ignore[misc]
    """Numba type of an order view."""

    def __init__(self, orders: Any) -> None:
        self.orders = orders
        super().__init__(name=f"Order({orders})")


@register_model(OrderType)
class _OrderModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("place", types.voidptr), ("index", types.int64)])


make_attribute_wrapper(OrderType, "index", "_index")


@infer_getattr
class _OrdersOfView(AttributeTemplate):  # type: ignore[misc]
    key = OrderType

    def resolve__orders(self, view_type: Any) -> Any:
        return view_type.orders


@lower_getattr(OrderType, "_orders")
def _orders_of_view(context: Any, builder: Any, view_type: Any, value: Any) -> Any:
    view = cgutils.create_struct_proxy(view_type)(context, builder, value=value)
    orders = cgutils.create_struct_proxy(view_type.orders)(context, builder)
    orders.meminfo = builder.bitcast(view.place, orders.meminfo.type)
    return imputils.impl_ret_borrowed(context, builder, view_type.orders, orders._getvalue())


@internal
def order_arrays(order):
    """Return what Python needs of a view: (records, position, grid)."""
    return order._orders.records, order._index, order._orders.grid


@box(OrderType)
def _box_order(view_type, value, c):
    def arrays(order):
        return order_arrays(order)

    fields = dict(view_type.orders._fields)
    parts_type = types.Tuple([fields["records"], types.int64, fields["grid"]])
    is_error, parts = c.pyapi.call_jit_code(arrays, parts_type(view_type), [value])
    del is_error  # reading fields cannot fail
    packed = c.box(parts_type, parts)
    python_class = c.pyapi.unserialize(c.pyapi.serialize_object(Order))
    order = c.pyapi.call(python_class, packed)
    c.pyapi.decref(packed)
    c.pyapi.decref(python_class)
    return order


if IS_INTERPRETED:

    def view_order(orders: Any, index: int) -> Order:
        """Return the view of the order at a position."""
        return Order(orders.records, index, orders.grid)
else:

    @intrinsic
    def view_order(_context, orders, index):
        """Return the view of the order at a position of a map of orders."""
        view_type = OrderType(orders)

        def build(context, builder, _signature, args):
            view = cgutils.create_struct_proxy(view_type)(context, builder)
            map_of_orders = cgutils.create_struct_proxy(orders)(context, builder, value=args[0])
            view.place, view.index = builder.bitcast(map_of_orders.meminfo, cgutils.voidptr_t), args[1]
            return view._getvalue()

        return view_type(orders, types.int64), build


def _attribute(function: Any) -> Any:
    """Make a function of a view an attribute of it, compiled and in Python."""
    name = function.__name__
    setattr(Order, name, property(function, doc=function.__doc__))
    if not IS_INTERPRETED:
        bind_attribute(OrderType, name, borrowing(function))
    return function


@_attribute
def order_id(order):
    """The strategy's own id, uint64."""
    return np.uint64(order._orders.records["order_id"][order._index] & 0x7FFFFFFFFFFFFFFF) | (
        np.uint64(0x8000000000000000) if order._orders.records["order_id"][order._index] < 0 else np.uint64(0)
    )


@_attribute
def price_tick(order):
    """Limit, in ticks."""
    return order._orders.records["price_tick"][order._index]


@_attribute
def price(order):
    """Limit, as a price."""
    return order._orders.records["price_tick"][order._index] * order._orders.grid["tick_size"][0]


@_attribute
def qty(order):
    """Quantity asked for by the last submit or modify."""
    grid = order._orders.grid
    return order._orders.records["order_lots"][order._index] * grid["lot_numerator"][0] / grid["lot_denominator"][0]


@_attribute
def leaves_qty(order):
    """Open quantity."""
    grid = order._orders.grid
    return order._orders.records["leaves_lots"][order._index] * grid["lot_numerator"][0] / grid["lot_denominator"][0]


@_attribute
def exec_qty(order):
    """Quantity of the last execution."""
    grid = order._orders.grid
    return order._orders.records["exec_lots"][order._index] * grid["lot_numerator"][0] / grid["lot_denominator"][0]


@_attribute
def exec_price_tick(order):
    """Price of the last execution, in ticks."""
    return order._orders.records["exec_price_tick"][order._index]


@_attribute
def exec_price(order):
    """Price of the last execution."""
    return order._orders.records["exec_price_tick"][order._index] * order._orders.grid["tick_size"][0]


@_attribute
def tick_size(order):
    """Tick size of the instrument."""
    return order._orders.grid["tick_size"][0]


@_attribute
def lot_size(order):
    """Lot size of the instrument."""
    return order._orders.grid["lot_size"][0]


@_attribute
def exch_timestamp(order):
    """When the exchange last processed the order, ns; 0 before."""
    return order._orders.records["exch_ts"][order._index]


@_attribute
def local_timestamp(order):
    """When we last sent a request for the order, ns."""
    return order._orders.records["local_ts"][order._index]


@_attribute
def maker(order):
    """Whether the last execution was passive."""
    return order._orders.records["is_maker"][order._index] != 0


@_attribute
def order_type(order):
    """LIMIT or MARKET."""
    return order._orders.records["order_type"][order._index]


@_attribute
def time_in_force(order):
    """GTC, GTX, FOK or IOC."""
    return order._orders.records["time_in_force"][order._index]


@_attribute
def req(order):
    """The pending request: NONE, NEW, CANCELED or REPLACED."""
    return order._orders.records["req"][order._index]


@_attribute
def status(order):
    """NONE, NEW, EXPIRED, FILLED, CANCELED or PARTIALLY_FILLED."""
    return order._orders.records["status"][order._index]


@_attribute
def side(order):
    """BUY or SELL."""
    return order._orders.records["side"][order._index]


@_attribute
def cancellable(order):
    """Whether the order is open and no request is pending."""
    state = order._orders.records["status"][order._index]
    return (state == NEW or state == PARTIALLY_FILLED) and order._orders.records["req"][order._index] == NONE

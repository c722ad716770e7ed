"""What a strategy sees: orders, their views, state values. One surface for every world."""

from queuefront.bot.binding import bind_variants
from queuefront.bot.id_table_compiled import EMPTY, new_table, table_find, table_insert, table_remove
from queuefront.bot.money_compiled import add_to_sum, amount_of, divide_product, fee_of, sum_to_float
from queuefront.bot.order_compiled import Order, copy_message, copy_order, view_order
from queuefront.bot.order_iterator import OrderIterator
from queuefront.bot.orders import Orders, add_order, find_order, new_orders, remove_inactive
from queuefront.bot.recorder import Recorder, RecorderState
from queuefront.bot.state import StateValues
from queuefront.bot.surface import LAYOUT, Id, Struct, attribute, entry, link_entries, method, struct, struct_type

__all__ = [
    "EMPTY",
    "LAYOUT",
    "Id",
    "Order",
    "OrderIterator",
    "Orders",
    "Recorder",
    "RecorderState",
    "StateValues",
    "Struct",
    "add_order",
    "add_to_sum",
    "amount_of",
    "attribute",
    "bind_variants",
    "copy_message",
    "copy_order",
    "divide_product",
    "entry",
    "fee_of",
    "find_order",
    "link_entries",
    "method",
    "new_orders",
    "new_table",
    "remove_inactive",
    "struct",
    "struct_type",
    "sum_to_float",
    "table_find",
    "table_insert",
    "table_remove",
    "view_order",
]

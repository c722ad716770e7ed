"""The built-in models behind the engine's hooks, chosen by the codes in ASSET_SPEC.

Every hook takes the asset first. What each is asked, and what a function of one's own in its place may rely on, stands in
docs/models.md and in `own`.
"""

from __future__ import annotations

from typing import Any, Final

from queuefront.bot import divide_product, fee_of
from queuefront.core.enums import EXCHANGE_NO_PARTIAL_FILL, FEE_DIRECTIONAL_QTY
from queuefront.core.jit import borrowing
from queuefront.sim import latency_compiled as latency
from queuefront.sim import queue_compiled as queue

__all__ = ["BUILTIN"]


@borrowing
def queue_enter(a, order, qty):  # noqa: ARG001 - own models may look at the asset
    """Put an order that comes to rest behind `qty`. order : ORDER record, mutated."""
    queue.enter_queue(order, qty)


@borrowing
def queue_trade(a, order, qty):
    """Count a trade of `qty` at the price of an order."""
    queue.queue_after_trade(a.spec[0]["queue_model"], order, qty)


@borrowing
def queue_depth(a, order, qty_before, qty_after):
    """Count a change of the book's quantity at the price of an order."""
    spec = a.spec[0]
    queue.queue_after_depth(spec["queue_model"], spec["queue_exponent"], order, qty_before, qty_after)


@borrowing
def queue_filled(a, order):
    """Return how many lots have traded beyond what was ahead of an order, and put it at the front."""
    return queue.take_filled_lots(order, a.spec[0]["lot_size"])


@borrowing
def entry_latency(a, req, now):
    """Return the latency of a request at `now`, ns; negative where it is technically rejected."""
    return latency.entry_latency(a.spec[0], a.state[0], a.latency_rows, a.entry_samples, req, now)


@borrowing
def response_latency(a, now):
    """Return the latency of an answer at `now`, ns."""
    return latency.response_latency(a.spec[0], a.state[0], a.answered_rows, a.response_samples, now)


@borrowing
def fee(a, message, amount):
    """Return the fee of an execution in fee units. message : ORDER record.   amount : notional in amount units."""
    spec, state = a.spec[0], a.state[0]
    tier = a.fee_tiers[state["fee_tier"]]
    is_buy = message["side"] > 0
    if message["is_maker"]:
        rate = tier["maker_buy_e9"] if is_buy else tier["maker_sell_e9"]
    else:
        rate = tier["taker_buy_e9"] if is_buy else tier["taker_sell_e9"]
    if spec["fee_model"] == FEE_DIRECTIONAL_QTY:
        if is_buy:
            whole, rest, base = tier["buyer_whole"], tier["buyer_rest"], tier["buyer_base"]
        else:
            whole, rest, base = tier["seller_whole"], tier["seller_rest"], tier["seller_base"]
        return rate * message["exec_lots"] + amount * whole + divide_product(amount, rest, base)
    return fee_of(spec["fee_model"], spec["contract"], rate, amount, message["exec_lots"])


@borrowing
def exec_at_price(a, order, filled_lots):
    """Return the lots that execute of an order at the front of its queue, of which so many could."""
    if a.spec[0]["exchange_model"] == EXCHANGE_NO_PARTIAL_FILL:
        return order["leaves_lots"]
    return min(filled_lots, order["leaves_lots"])


@borrowing
def exec_through(a, order, traded_lots):  # noqa: ARG001 - own models may look at it
    """Return the lots that execute of an order whose price a trade of so many lots went through."""
    return order["leaves_lots"]


@borrowing
def exec_reached(a, order, level_lots):  # noqa: ARG001 - own models may look at it
    """Return the lots that execute of an order whose price the other side's best reached, where so many lots rest."""
    return order["leaves_lots"]


@borrowing
def exec_taking(a, order, tick, level_lots):  # noqa: ARG001 - own models may look at it
    """Return the lots that a taking order executes at a level where so many rest."""
    return min(level_lots, order["leaves_lots"])


_FUNCTIONS: Final = (
    queue_enter,
    queue_trade,
    queue_depth,
    queue_filled,
    entry_latency,
    response_latency,
    fee,
    exec_at_price,
    exec_through,
    exec_reached,
    exec_taking,
)
BUILTIN: Final[dict[str, Any]] = {function.__name__: function for function in _FUNCTIONS}
"""Name of each hook, with its built-in function."""

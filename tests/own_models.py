"""The built-in models written again as a user would, to be compared with them."""

from __future__ import annotations

from numba import njit

from benchmarks.own_models import OWN_QUEUE
from queuefront.core.enums import CANCELED
from queuefront.sim import OwnExchange, OwnFees, OwnLatency, OwnQueue

__all__ = ["constant_latency", "partial_fill", "risk_averse_queue", "value_fees"]


def risk_averse_queue() -> OwnQueue:
    """Return the model of the benchmark: each model of one's own compiles the engine anew."""
    return OWN_QUEUE


# --- ConstantLatency: plain Python functions will do -------------------------------------------------------------------
def entry(now, req, memory, params):
    memory[0] += 1.0
    return params[2] if req == CANCELED else params[0]


def response(now, memory, params):
    return params[1]


def constant_latency(entry_ns: int, response_ns: int, cancel_ns: int) -> OwnLatency:
    return OwnLatency(entry, response, params=(entry_ns, response_ns, cancel_ns))


# --- ValueFees --------------------------------------------------------------------------------------------------------
@njit
def fee(side, is_maker, price, qty, volume, params):
    return (params[0] if is_maker else params[1]) * params[2] * price * qty


def value_fees(maker: float, taker: float, multiplier: float) -> OwnFees:
    return OwnFees(fee, params=(maker, taker, multiplier))


# --- PartialFill ------------------------------------------------------------------------------------------------------
@njit
def at_price(order, filled_lots, params):
    return min(filled_lots, order["leaves_lots"])


@njit
def all_of_it(order, traded_lots, params):
    return order["leaves_lots"]


@njit
def taking(order, tick, level_lots, params):
    return min(level_lots, order["leaves_lots"])


def partial_fill() -> OwnExchange:
    return OwnExchange(at_price, all_of_it, all_of_it, taking)

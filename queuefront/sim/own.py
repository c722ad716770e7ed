"""Models of one's own: compiled functions in the place of the built-in ones, at the same speed (docs/models.md).

Each takes the functions by name; what is left out is built in. Functions are plain Python or `numba.njit` ones; they must
not keep what they are given. `params` is the float64 array that was given with the model. A latency function also gets
`memory`, float64[16], which is its asset's, starts at 0, and keeps what is written to it.

An order is an ORDER record (`core.dtypes`): a function may read every field, and writes `qty_ahead`, `traded_qty`,
`memory_0` and `memory_1` only. It must give the same answers for the same values, or runs are not repeatable.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.enums import EXCHANGE_PARTIAL_FILL, FEE_FLAT, LATENCY_CONSTANT, QUEUE_RISK_AVERSE
from queuefront.core.errors import ConfigError
from queuefront.core.jit import IS_INTERPRETED, nameless, uncached
from queuefront.sim.hooks import code_digest
from queuefront.sim.queue_compiled import round_half_away

__all__ = ["OwnExchange", "OwnFees", "OwnLatency", "OwnQueue", "hooks_of"]

Function = Callable[..., Any]
_E9: Final = 1e9


def _params(values: Sequence[float], what: str) -> npt.NDArray[np.float64]:
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.full(1, np.nan)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise ConfigError(f"params of {what} are {values!r}; give a list of finite numbers")
    array = array.copy()
    array.flags.writeable = False
    return array


def _compiled(function: Function | None, what: str) -> Any:
    if function is None:
        return None
    if not callable(function):
        raise ConfigError(f"{what} is {function!r}; give a function")
    if IS_INTERPRETED:
        return function
    # The engine's cached code has this function inside, and other programs that load it know its module by another name,
    # or not at all.
    plain = getattr(function, "py_func", function)
    if plain.__module__ in sys.modules:
        nameless(sys.modules[plain.__module__])
    plain.__module__ = "__main__"
    return function if hasattr(function, "py_func") else uncached(function)


def _hook(adapter: Any, function: Any) -> Any:
    """Return an adapter as the engine calls it; its digest is that of the user's code."""
    target = uncached(adapter)
    target.__dict__["digest"] = f"{adapter.__qualname__} {code_digest(function)}"
    return target


@dataclass(frozen=True)
class OwnQueue:
    """A queue model of one's own, for markets by price.

    enter(order, qty, params) : the order comes to rest where `qty` rests; set order["qty_ahead"].
    trade(order, qty, params) : `qty` traded at its price.
    depth(order, qty_before, qty_after, params) : the book's quantity at its price changed.
    filled(order, lot_size, params) -> lots : how many lots traded beyond what was ahead; 0 while it waits.
    """

    enter: Function | None = None
    trade: Function | None = None
    depth: Function | None = None
    filled: Function | None = None
    params: Sequence[float] = ()
    code: ClassVar[int] = QUEUE_RISK_AVERSE
    n: ClassVar[float] = 1.0

    def hooks(self) -> dict[str, Any]:
        """Return the functions by the names of the engine's hooks."""
        enter, trade, depth, filled = (
            _compiled(getattr(self, k), f"{k} of a queue model") for k in ("enter", "trade", "depth", "filled")
        )

        def own_enter(a, order, qty):  # type: ignore[no-untyped-def]
            enter(order, qty, a.queue_params)

        def own_trade(a, order, qty):  # type: ignore[no-untyped-def]
            trade(order, qty, a.queue_params)

        def own_depth(a, order, qty_before, qty_after):  # type: ignore[no-untyped-def]
            depth(order, qty_before, qty_after, a.queue_params)

        def own_filled(a, order):  # type: ignore[no-untyped-def]
            return filled(order, a.spec["lot_size"][0], a.queue_params)

        pairs: list[tuple[Any, Any]] = [(own_enter, enter), (own_trade, trade), (own_depth, depth), (own_filled, filled)]
        return {f"queue_{a.__name__[4:]}": _hook(a, f) for a, f in pairs if f is not None}


@dataclass(frozen=True)
class OwnLatency:
    """A latency model of one's own.

    entry(now, req, memory, params) -> ns : from us to the matching engine; `req` is NEW, CANCELED or REPLACED. Negative:
        technically rejected, and we learn of it after the absolute value.
    response(now, memory, params) -> ns : from the matching engine to us; a negative one counts as 0.
    """

    entry: Function | None = None
    response: Function | None = None
    params: Sequence[float] = ()
    code: ClassVar[int] = LATENCY_CONSTANT

    def hooks(self) -> dict[str, Any]:
        """Return the functions by the names of the engine's hooks."""
        entry, response = (_compiled(getattr(self, k), f"{k} of a latency model") for k in ("entry", "response"))

        def own_entry(a, req, now):  # type: ignore[no-untyped-def]
            return np.int64(entry(now, req, a.memory, a.latency_params))

        def own_response(a, now):  # type: ignore[no-untyped-def]
            return np.int64(response(now, a.memory, a.latency_params))

        pairs: list[tuple[Any, Any]] = [(own_entry, entry), (own_response, response)]
        return {f"{a.__name__[4:]}_latency": _hook(a, f) for a, f in pairs if f is not None}


@dataclass(frozen=True)
class OwnFees:
    """A fee model of one's own.

    fee(side, is_maker, price, qty, volume, params) -> currency : of one execution; `volume` is the quantity that was traded
        before it. Rounded to 1e-9 of the currency, halves away from zero; from there on exact.
    """

    fee: Function
    params: Sequence[float] = ()
    code: ClassVar[int] = FEE_FLAT

    def hooks(self) -> dict[str, Any]:
        """Return the functions by the names of the engine's hooks."""
        fee = _compiled(self.fee, "fee of a fee model")
        if fee is None:
            raise ConfigError("OwnFees has no fee; give a function")

        def own_fee(a, message, amount):  # type: ignore[no-untyped-def] # noqa: ARG001
            spec = a.spec[0]
            price = message["exec_price_tick"] * spec["tick_size"]
            qty = message["exec_lots"] * spec["lot_numerator"] / spec["lot_denominator"]
            volume = (a.state["volume_lots"][0] * spec["lot_numerator"]) / spec["lot_denominator"]
            paid = fee(message["side"], message["is_maker"] != 0, price, qty, volume, a.fee_params)
            return np.int64(round_half_away(paid * _E9))

        return {"fee": _hook(own_fee, fee)}


@dataclass(frozen=True)
class OwnExchange:
    """An exchange model of one's own: how many lots of an order execute. What is returned is taken within 0 and its leaves.

    at_price(order, filled_lots, params) -> lots : it is at the front, and so many lots traded beyond its queue.
    through(order, traded_lots, params) -> lots : a trade of so many lots went through its price.
    reached(order, level_lots, params) -> lots : the other side's best reached its price, with so many lots.
    taking(order, tick, level_lots, params) -> lots : it takes from a level where so many rest.

    What a taking order does not get: GTC executes at its limit, others expire, as with `PartialFill`.
    """

    at_price: Function | None = None
    through: Function | None = None
    reached: Function | None = None
    taking: Function | None = None
    params: Sequence[float] = ()
    books_only_filled: ClassVar[bool] = False
    honest: ClassVar[bool] = False
    code: ClassVar[int] = EXCHANGE_PARTIAL_FILL

    def hooks(self) -> dict[str, Any]:
        """Return the functions by the names of the engine's hooks."""
        at_price, through, reached, taking = (
            _compiled(getattr(self, k), f"{k} of an exchange model") for k in ("at_price", "through", "reached", "taking")
        )

        def own_at_price(a, order, filled_lots):  # type: ignore[no-untyped-def]
            return np.int64(at_price(order, filled_lots, a.exchange_params))

        def own_through(a, order, traded_lots):  # type: ignore[no-untyped-def]
            return np.int64(through(order, traded_lots, a.exchange_params))

        def own_reached(a, order, level_lots):  # type: ignore[no-untyped-def]
            return np.int64(reached(order, level_lots, a.exchange_params))

        def own_taking(a, order, tick, level_lots):  # type: ignore[no-untyped-def]
            return np.int64(taking(order, tick, level_lots, a.exchange_params))

        pairs: list[tuple[Any, Any]] = [
            (own_at_price, at_price),
            (own_through, through),
            (own_reached, reached),
            (own_taking, taking),
        ]
        return {f"exec_{a.__name__[4:]}": _hook(a, f) for a, f in pairs if f is not None}


Own = OwnQueue | OwnLatency | OwnFees | OwnExchange


def hooks_of(*models: Any) -> tuple[dict[str, Any], tuple[npt.NDArray[np.float64], ...]]:
    """Return (functions by hook, params of each model) of an asset's models, built-in ones included."""
    hooks: dict[str, Any] = {}
    params = []
    for model in models:
        is_own = isinstance(model, Own)
        if is_own:
            hooks |= model.hooks()
        params.append(_params(model.params if is_own else (), type(model).__name__))
    return hooks, tuple(params)

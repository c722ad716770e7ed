"""The fast engine and the naive one on the same case, call by call.

A case is that of `tests/differential`: markets, models, and actions. Here nothing is left out that the reference engine
would spoil: any call at any time, refused requests, orders of ids that are taken, waits without an end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import gcd
from typing import Any

import numpy as np

from queuefront.core import LATENCY, Instrument
from queuefront.core.enums import BUY, FEE_DIRECTIONAL_QTY, FEE_QTY, FEE_VALUE, NO_ASK_TICK, NO_BID_TICK
from queuefront.feed import Tape
from queuefront.sim import (
    Asset,
    ConstantLatency,
    DirectionalFees,
    DirectionalQtyFees,
    FifoQueue,
    FlatFees,
    Funding,
    InterpolatedLatency,
    LogQueue,
    LogQueue2,
    NoPartialFill,
    PartialFill,
    PowerQueue,
    PowerQueue2,
    PowerQueue3,
    QtyFees,
    RiskAverseQueue,
    SampledLatency,
    TieredFees,
    ValueFees,
    build_backtester,
    read_results,
)
from queuefront.sim.fees import fee_table
from tests.differential import engines as op
from tests.differential.engines import AT_BID, AT_TICK, Action, AssetCase, Case
from tests.differential.markets import rows_to_events
from tests.differential.minimise import as_test, minimise
from tests.naive import latency as naive_latency
from tests.naive.engine import AssetConfig, NaiveEngine
from tests.naive.money import Fees
from tests.naive.money import Funding as NaiveFunding
from tests.naive.queue import QueueModel

#: How many ticks on either side of a best price are read.
REACH = 3
#: What a price counts from while the book is empty.
FALLBACK_TICK = 1_000

QUEUES = {
    "risk_adverse": RiskAverseQueue,
    "power_prob": PowerQueue,
    "power_prob2": PowerQueue2,
    "power_prob3": PowerQueue3,
    "log_prob": LogQueue,
    "log_prob2": LogQueue2,
    "l3_fifo": FifoQueue,
}
EXCHANGES = {
    "no_partial_fill": NoPartialFill(),
    "partial_fill": PartialFill(),
    "honest": PartialFill(honest=True),
}
FEES = {
    "trading_value": ValueFees,
    "trading_qty": QtyFees,
    "flat": FlatFees,
    "directional_trading_value": DirectionalFees,
    "directional_trading_qty": DirectionalQtyFees,
}
LATENCIES = {"constant": ConstantLatency, "interpolated": InterpolatedLatency, "sampled": SampledLatency}

State = dict[str, Any]


# --- both engines from one case ---------------------------------------------------------------------------------------
def instrument_of(asset: AssetCase) -> Instrument:
    kind, multiplier = asset.contract
    return Instrument("venue", "CASE", str(asset.tick_size), str(asset.lot_size), contract=kind, multiplier=str(multiplier))


def latency_table(asset: AssetCase) -> list[tuple[int, int, int]]:
    """Return a case's round trips with their offset; refused ones stay as they are (D29)."""
    _, rows, *offset = asset.latency
    d = offset[0] if offset else 0
    return [(req, exch + d, resp + 2 * d) if exch > 0 else (req, exch, resp) for req, exch, resp in rows]


def naive_asset(asset: AssetCase, events: np.ndarray) -> AssetConfig:
    """Build one asset of the naive engine."""
    if asset.latency[0] == "constant":
        latency: Any = naive_latency.ConstantLatency(*asset.latency[1:])
    elif asset.latency[0] == "sampled":
        latency = naive_latency.SampledLatency(*asset.latency[1:])
    else:
        latency = naive_latency.TableLatency(latency_table(asset))
    return AssetConfig(
        events,
        instrument_of(asset),
        latency=latency,
        queue=QueueModel(*asset.queue) if asset.queue[0] != "l3_fifo" else QueueModel(),
        market_by_order=asset.queue[0] == "l3_fifo",
        partial_fills=asset.exchange != "no_partial_fill",
        honest_liquidity=asset.exchange == "honest",
        funding=tuple(NaiveFunding(ts, Decimal(mark), Decimal(rate)) for ts, mark, rate in asset.funding),
        fees=naive_fees(asset),
        balances=None if asset.balances is None else (Decimal(asset.balances[0]), Decimal(asset.balances[1])),
        tick_range=asset.tick_range,
        last_trades_capacity=asset.last_trades_capacity,
        opening=rows_to_events(asset.snapshot) if asset.snapshot else None,
    )


def naive_fees(asset: AssetCase) -> Fees:
    kind, *rates = asset.fee
    if kind == "tiered":
        return Fees("value", tiers=tuple(tuple(Decimal(str(x)) for x in tier) for tier in rates[0]))  # type: ignore[misc]
    return Fees(kind.removeprefix("directional_").removeprefix("trading_"), *(Decimal(str(rate)) for rate in rates))


def fast_fees(asset: AssetCase) -> Any:
    kind, *rates = asset.fee
    if kind == "tiered":
        return TieredFees([tuple(str(x) for x in tier) for tier in rates[0]])  # type: ignore[misc]
    return FEES[kind](*(str(rate) for rate in rates))


def fast_asset(asset: AssetCase, events: np.ndarray) -> Asset:
    """Build one asset of the fast engine."""
    if asset.latency[0] == "constant":
        latency: Any = ConstantLatency(*asset.latency[1:])
    elif asset.latency[0] == "sampled":
        latency = SampledLatency(*asset.latency[1:])
    else:
        table = np.array([(*row, 0) for row in asset.latency[1]], dtype=LATENCY)
        latency = InterpolatedLatency(table, *asset.latency[2:])
    opening = rows_to_events(asset.snapshot) if asset.snapshot else None
    return Asset(
        Tape.build(events, instrument_of(asset), source="case", opening=opening, tick_range=asset.tick_range),
        latency=latency,
        queue=QUEUES[asset.queue[0]](*asset.queue[1:]),
        exchange=EXCHANGES[asset.exchange],
        fees=fast_fees(asset),
        balances=asset.balances,
        funding=[Funding(ts, mark, rate) for ts, mark, rate in asset.funding],
        last_trades_capacity=asset.last_trades_capacity,
    )


# --- calls --------------------------------------------------------------------------------------------------------------
def price_of(hbt: Any, action: Action, asset: AssetCase) -> float:
    """Return the price that an action names, from the book as the engine shows it."""
    tick = 0
    if action.at != AT_TICK:
        depth = hbt.depth(action.asset)
        bid, ask = int(depth.best_bid_tick), int(depth.best_ask_tick)
        found = [t for t in ((bid, ask) if action.at == AT_BID else (ask, bid)) if t not in (NO_BID_TICK, NO_ASK_TICK)]
        tick = found[0] if found else FALLBACK_TICK
    return (tick + action.offset) * asset.tick_size


def act(hbt: Any, case: Case, action: Action) -> int:
    """Make the call that an action asks for; return its code, 0 where it has none."""
    number, order_id, wait = action.asset, action.id, action.flag != 0
    asset = case.assets[max(number, 0)]
    if action.op in (op.ELAPSE, op.ELAPSE_BT):
        return int((hbt.elapse if action.op == op.ELAPSE else hbt.elapse_bt)(action.duration))
    if action.op == op.WAIT_FEED:
        return int(hbt.wait_next_feed(wait, action.duration))
    if action.op == op.WAIT_RESPONSE:
        return int(hbt.wait_order_response(number, order_id, action.duration))
    if action.op == op.GOTO_END:
        return int(hbt._goto_end())
    if action.op == op.CLEAR_INACTIVE:
        hbt.clear_inactive_orders(number)
    elif action.op == op.CLEAR_TRADES:
        hbt.clear_last_trades(number)
    elif action.op == op.CANCEL_ANYWAY:
        return int(hbt.cancel(number, order_id, wait))
    elif action.op in (op.SUBMIT, op.MODIFY_ANYWAY):
        numerator, denominator = asset.lot_ratio
        price, qty = price_of(hbt, action, asset), action.lots * numerator / denominator
        if action.op == op.MODIFY_ANYWAY:
            return int(hbt.modify(number, order_id, price, qty, wait))
        submit = hbt.submit_buy_order if action.side == BUY else hbt.submit_sell_order
        return int(submit(number, order_id, price, qty, action.tif, action.type, wait))
    return 0


# --- what can be seen ---------------------------------------------------------------------------------------------------
ORDER_INTS = (
    "order_id",
    "side",
    "order_type",
    "time_in_force",
    "price_tick",
    "exec_price_tick",
    "exch_timestamp",
    "local_timestamp",
    "req",
    "status",
    "maker",
    "cancellable",
)
ORDER_FLOATS = ("price", "exec_price", "qty", "leaves_qty", "exec_qty", "tick_size", "lot_size")


def observe(hbt: Any, number: int) -> State:
    """Return everything that a strategy can see of an asset."""
    depth = hbt.depth(number)
    bid, ask = int(depth.best_bid_tick), int(depth.best_ask_tick)
    state: State = {"best_bid_tick": bid, "best_ask_tick": ask}
    for name in ("best_bid", "best_ask", "best_bid_qty", "best_ask_qty"):
        state[name] = float(getattr(depth, name))
    for i in range(-REACH, REACH + 1):
        state[f"bid_qty_at_best{i:+d}"] = float(depth.bid_qty_at_tick(bid + i)) if bid != NO_BID_TICK else 0.0
        state[f"ask_qty_at_best{i:+d}"] = float(depth.ask_qty_at_tick(ask + i)) if ask != NO_ASK_TICK else 0.0
    for order in hbt.orders(number):
        name = f"order {order.order_id}"
        state |= {f"{name} {field}": int(getattr(order, field)) for field in ORDER_INTS}
        state |= {f"{name} {field}": float(getattr(order, field)) for field in ORDER_FLOATS}
        state[f"{name} queue_ahead"] = float(hbt.queue_ahead(number, order.order_id))
    state["orders"] = [int(order.order_id) for order in hbt.orders(number)]
    for name in ("feed_latency", "order_latency"):
        times = getattr(hbt, name)(number)
        state[name] = None if times is None else tuple(int(ts) for ts in times)
    state["position"] = float(hbt.position(number))
    state |= {f"state {name}": value for name, value in hbt.state_values(number)._asdict().items()}
    return state


def naive_state(hbt: NaiveEngine, number: int) -> State:
    account = hbt.account(number)
    return observe(hbt, number) | {
        "position_lots": account.position_lots,
        "cash": account.cash,
        "fee": account.fee,
        "value": account.value,
        "volume_lots": account.volume_lots,
        "num_trades": account.num_trades,
        "free": hbt.free_balances(number),
        "last_trades": [(t.ev, t.exch_ts, t.local_ts, t.px, t.qty) for t in hbt.last_trades(number)],
        **{f"fill {i}": fill_of(f, f.amount, f.fee) for i, f in enumerate(account.fills)},
    }


def fill_of(fill: Any, amount: Fraction, fee: Fraction) -> tuple[Any, ...]:
    get = fill.__getitem__ if isinstance(fill, np.void) else partial(getattr, fill)
    return amount, fee, *(int(get(name)) for name in FILL_FIELDS), float(get("arrival_qty_ahead"))


FILL_FIELDS = (
    "order_id",
    "exch_ts",
    "local_ts",
    "price_tick",
    "lots",
    "position_lots",
    "side",
    "is_maker",
)


def money_units(asset: Asset) -> tuple[Fraction, Fraction]:
    """Return what one unit of amounts, and one of fees, is worth (see `queuefront.bot.money_compiled`)."""
    instrument = asset.tape.instrument
    tick, lot, multiplier = (Fraction(x) for x in (instrument.tick_size, instrument.lot_size, instrument.multiplier))
    is_linear = instrument.contract == "linear"
    amount = multiplier * tick * lot if is_linear else multiplier * lot / tick / 10**15
    if asset.fees.code == FEE_DIRECTIONAL_QTY or isinstance(asset.fees, TieredFees | DirectionalFees):
        return amount, fee_table(asset.fees, instrument)[1]
    if asset.fees.code == FEE_VALUE:
        return amount, amount * (gcd(*asset.fees.rates_e9()) or 1) / 10**9 if is_linear else amount / 10**4
    return amount, lot / 10**9 if asset.fees.code == FEE_QTY else Fraction(1, 10**9)


def fast_states(hbt: Any, handles: list[Any], assets: list[Asset], tapes: list[Tape]) -> Iterator[State]:
    for number, result in enumerate(read_results(hbt, handles, assets, tapes)):
        row = result.state[0]
        amount_unit, fee_unit = money_units(assets[number])
        trades = hbt.last_trades(number)
        columns = [trades[name].tolist() for name in ("ev", "exch_ts", "local_ts", "px", "qty")]
        yield observe(hbt, number) | {
            "position_lots": int(row["position_lots"]),
            "cash": sum_of(row, "cash") * amount_unit,
            "fee": sum_of(row, "fee") * fee_unit,
            "value": sum_of(row, "value") * amount_unit,
            "volume_lots": int(row["volume_lots"]),
            "num_trades": int(row["num_trades"]),
            "free": (int(row["free_base_lots"]), sum_of(row, "free_quote")),
            "last_trades": list(zip(*columns, strict=True)),
            **{
                f"fill {i}": fill_of(f, int(f["amount"]) * amount_unit, int(f["fee"]) * fee_unit)
                for i, f in enumerate(result.fills)
            },
        }


def sum_of(row: np.void, name: str) -> int:
    return int(row[f"{name}_high"]) * 10**18 + int(row[f"{name}_low"])


# --- the comparison -----------------------------------------------------------------------------------------------------
#: Floats made of exact sums: the two engines round the product with the unit differently.
ROUNDED = ("state balance", "state fee", "state trading_value")


def is_same(name: str, naive: Any, fast: Any) -> bool:
    if isinstance(naive, float) and isinstance(fast, float):
        if math.isnan(naive) and math.isnan(fast):
            return True
        return math.isclose(naive, fast, rel_tol=1e-14) if name in ROUNDED else naive == fast
    if isinstance(naive, list | tuple) and isinstance(fast, list | tuple):
        return len(naive) == len(fast) and all(is_same("", a, b) for a, b in zip(naive, fast, strict=True))
    return bool(naive == fast)


def differences(naive: State, fast: State) -> list[str]:
    """Return a line for each thing that the two engines show differently."""
    absent = object()
    return [
        f"{name} is {naive.get(name, 'absent')!r} in the naive engine, {fast.get(name, 'absent')!r} in the fast one"
        for name in sorted(naive.keys() | fast.keys())
        if not is_same(name, naive.get(name, absent), fast.get(name, absent))
    ]


@dataclass
class Duel:
    """What a duel amounted to."""

    found: list[str]  # differences after the first call after which there are any
    calls: int = 0
    fills: int = 0


def fight(case: Case, *, spoil: Callable[[int, State], None] = lambda call, state: None) -> Duel:
    """Play a case on both engines, to the first difference, error inside the run, or the end.

    spoil : may change what the fast engine showed after a call; for the test of this comparison.
    """
    markets = [asset.market.events() for asset in case.assets]
    naive = NaiveEngine([naive_asset(a, e) for a, e in zip(case.assets, markets, strict=True)])
    assets = [fast_asset(a, e) for a, e in zip(case.assets, markets, strict=True)]
    tapes = [asset.load() for asset in assets]
    fast, handles = build_backtester(assets, tapes)
    duel = Duel([])
    for action in case.actions:
        codes = act(naive, case, action), act(fast, case, action)
        heads = [{"code": code, "now": int(hbt.current_timestamp)} for code, hbt in zip(codes, (naive, fast), strict=True)]
        found = differences(*heads)
        for number, state in enumerate(fast_states(fast, handles, assets, tapes)):
            spoil(duel.calls, state)
            expected = naive_state(naive, number)
            found += [f"asset {number}: {line}" for line in differences(expected, state)]
        if naive.error_code:  # the run is broken from here on, and only the code is alike (D24)
            found = differences(*heads)
        if found or naive.error_code:
            duel.found = [f"after call {duel.calls}, {action!r}: {line}" for line in found]
            break
        duel.calls += 1
        duel.fills = sum(naive.account(number).num_trades for number in range(len(assets)))
    return duel


def check(case: Case, play: Callable[[Case], Duel] = fight) -> Duel:
    """Fail, with a reduced case as a test to paste, unless both engines show the same."""
    duel = play(case)
    if duel.found:
        small = minimise(case, lambda smaller: bool(play(smaller).found))
        text = as_test(small).replace("(judge)", "()").replace("judge.check", "check")
        raise AssertionError("\n".join([*(play(small).found or duel.found), "", "The reduced case:", "", text]))
    return duel

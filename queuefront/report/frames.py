"""Tables of a run: the engine's arrays as Polars frames, in the market's units.

Prices, quantities and amounts leave the engine's integers here, by exact division; times become UTC datetimes in
nanoseconds. What is unknown is null, never a sentinel: a queue position of an order that never rested, the price of an
execution that did not happen, the equity of an open position while one side of the book is empty.

Equity follows the contract: linear, in quote currency, `balance + multiplier × position ×
price`; inverse, in base currency, `-balance - multiplier × position / price`; both less the fees paid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from queuefront.core import FILL, ORDER_CHANGE, SAMPLE, ContractKind, Instrument, Number, SchemaMismatchError, exact
from queuefront.core import enums as codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

__all__ = ["currency_of", "equity_frame", "fills_frame", "orders_frame", "total_equity_frame"]

Records = npt.NDArray[np.void]


def fills_frame(
    fills: Records, instrument: Instrument, amount_unit: Number, fee_unit: Number, asset_no: int = 0
) -> pl.DataFrame:
    """Tabulate the fills of one asset, one row a fill.

    Parameters
    ----------
    fills : FILL records of this asset, in the order they were booked; not mutated.
    instrument : what was traded.
    amount_unit, fee_unit : value of one step of `FILL.amount` and `FILL.fee`, in the account's currency.
    asset_no : the asset's number in the run, column `asset`.

    Returns
    -------
    Columns exch_ts, local_ts, asset, symbol, side ("buy" or "sell"), price, qty, amount, fee, is_maker, order_id,
    position_after, queue_ahead_at_arrival (null if the order never rested).

    Raises
    ------
    SchemaMismatchError
        If the records are not FILL records.
    """
    import polars as pl

    _require(fills, FILL, "FILL")
    return pl.DataFrame(
        {
            "exch_ts": _times(fills["exch_ts"]),
            "local_ts": _times(fills["local_ts"]),
            "asset": pl.repeat(asset_no, len(fills), dtype=pl.Int16, eager=True),
            "symbol": pl.repeat(instrument.symbol, len(fills), dtype=pl.String, eager=True),
            "side": _sides(fills["side"]),
            "price": instrument.prices(fills["price_tick"]),
            "qty": instrument.quantities(fills["lots"]),
            "amount": _scaled(fills["amount"], amount_unit, "amount_unit"),
            "fee": _scaled(fills["fee"], fee_unit, "fee_unit"),
            "is_maker": fills["is_maker"] != 0,
            "order_id": _order_ids(fills["order_id"]),
            "position_after": instrument.quantities(fills["position_lots"]),
            "queue_ahead_at_arrival": _known(fills["arrival_qty_ahead"]),
        }
    )


def orders_frame(changes: Records, instrument: Instrument) -> pl.DataFrame:
    """Tabulate every request we sent and every answer we received, in that order.

    Parameters
    ----------
    changes : ORDER_CHANGE records of one asset, as they happened; not mutated.
    instrument : what was traded.

    Returns
    -------
    Columns local_ts, exch_ts (null: the exchange has not seen it), event ("request" or "response"), order_id, side, type,
    time_in_force, price, qty, leaves_qty, exec_qty, exec_price (null without an execution), status, request (what is
    pending; null: nothing), is_maker, queue_ahead (null where the exchange did not say).

    Raises
    ------
    SchemaMismatchError
        If the records are not ORDER_CHANGE records.
    """
    import polars as pl

    _require(changes, ORDER_CHANGE, "ORDER_CHANGE")
    has_execution = changes["exec_lots"] != 0
    exec_price = np.where(has_execution, instrument.prices(changes["exec_price_tick"]), np.nan)
    requests = _names(changes["req"], codes.STATUS_NAMES)
    return pl.DataFrame(
        {
            "local_ts": _times(changes["local_ts"]),
            "exch_ts": pl.select(
                pl.when(pl.lit(pl.Series(changes["exch_ts"] > 0))).then(pl.lit(_times(changes["exch_ts"])))
            ).to_series(),
            "event": _names(changes["is_response"], {0: "request", 1: "response"}),
            "order_id": _order_ids(changes["order_id"]),
            "side": _sides(changes["side"]),
            "type": _names(changes["order_type"], codes.ORDER_TYPE_NAMES),
            "time_in_force": _names(changes["time_in_force"], codes.TIME_IN_FORCE_NAMES),
            "price": instrument.prices(changes["price_tick"]),
            "qty": instrument.quantities(changes["order_lots"]),
            "leaves_qty": instrument.quantities(changes["leaves_lots"]),
            "exec_qty": instrument.quantities(changes["exec_lots"]),
            "exec_price": _known(exec_price),
            "status": _names(changes["status"], codes.STATUS_NAMES),
            "request": requests.set(requests == "NONE", None),
            "is_maker": changes["is_maker"] != 0,
            "queue_ahead": _known(changes["qty_ahead"]),
        }
    )


def equity_frame(samples: Records, instrument: Instrument) -> pl.DataFrame:
    """Tabulate the state of one asset over time, with its equity.

    Parameters
    ----------
    samples : SAMPLE records of one asset in time order (hftbacktest's recorder rows have the same bytes); not mutated.
    instrument : gives the contract's formula and multiplier.

    Returns
    -------
    Columns timestamp, price (mid; null if a side of the book was empty), position, balance, fee, num_trades,
    trading_volume, trading_value, equity_wo_fee, equity, drawdown. `drawdown` is equity less its highest value so far, so
    zero or negative. The last three are null while a position is open and there is no price.

    Raises
    ------
    SchemaMismatchError
        If the records are not SAMPLE records.
    """
    import polars as pl

    _require(samples, SAMPLE, "SAMPLE")
    price, position, balance = (samples[name].astype(np.float64) for name in ("price", "position", "balance"))
    # A flat position is worth nothing at any price, known or not; a stand-in price of 1 keeps NaN out of the product.
    usable_price = np.where(position == 0, 1.0, price)
    multiplier = float(instrument.multiplier)
    if instrument.contract is ContractKind.INVERSE:
        equity_wo_fee = -balance - multiplier * position / usable_price
    else:
        equity_wo_fee = balance + multiplier * position * usable_price
    frame = pl.DataFrame({"timestamp": _times(samples["timestamp"]), "price": _known(price)} | _columns(samples))
    return frame.with_columns(
        equity_wo_fee=pl.Series(equity_wo_fee).fill_nan(None),
        equity=pl.Series(equity_wo_fee - samples["fee"]).fill_nan(None),
    ).with_columns(drawdown=pl.col("equity") - pl.col("equity").cum_max())


def total_equity_frame(equities: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up equity frames of one currency.

    At every time at which any asset has a sample the others count with their last known values, or their first ones before
    that. Columns timestamp, fee, num_trades, trading_value, equity_wo_fee, equity, drawdown.
    """
    import polars as pl

    names = ["fee", "num_trades", "trading_value", "equity_wo_fee", "equity"]
    times = pl.concat([frame.select("timestamp") for frame in equities]).unique().sort("timestamp")
    aligned = [
        times.join_asof(frame.select("timestamp", *names), on="timestamp", strategy="backward").select(
            pl.col(*names).fill_null(strategy="forward").fill_null(strategy="backward")
        )
        for frame in equities
    ]
    total = times.with_columns(
        pl.sum_horizontal([frame[name] for frame in aligned], ignore_nulls=False).alias(name) for name in names
    )
    return total.with_columns(drawdown=pl.col("equity") - pl.col("equity").cum_max())


def currency_of(instrument: Instrument) -> str:
    """Return the currency that profit and fees of this instrument are counted in; empty if the instrument does not say."""
    return instrument.base if instrument.contract is ContractKind.INVERSE else instrument.quote


def _require(records: Records, dtype: np.dtype[Any], name: str) -> None:
    if records.dtype != dtype:
        raise SchemaMismatchError(f"the records have type {records.dtype}; pass {name} records (queuefront.core.{name})")


def _columns(samples: Records) -> dict[str, Any]:
    names = ("position", "balance", "fee", "num_trades", "trading_volume", "trading_value")
    return {name: np.ascontiguousarray(samples[name]) for name in names}


def _times(ns: npt.NDArray[np.int64]) -> pl.Series:
    import polars as pl

    return pl.Series(np.ascontiguousarray(ns)).cast(pl.Datetime("ns", "UTC"))


def _order_ids(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(ids).view(np.uint64)


def _known(x: npt.NDArray[np.float64]) -> pl.Series:
    import polars as pl

    return pl.Series(np.ascontiguousarray(x)).fill_nan(None)


def _sides(side: npt.NDArray[np.int8]) -> pl.Series:
    return _names(side, {codes.BUY: "buy", codes.SELL: "sell"})


def _names(values: npt.NDArray[Any], names: dict[int, str]) -> pl.Series:
    import polars as pl

    column = pl.Series(values.astype(np.int64))
    return column.replace_strict(names, default="UNSUPPORTED", return_dtype=pl.String)


def _scaled(counts: npt.NDArray[np.int64], unit: Number, name: str) -> npt.NDArray[np.float64]:
    # One rounding, like Instrument.prices: 3 steps of 0.1 are 0.3 and not 0.30000000000000004.
    numerator, denominator = exact(unit, name).as_integer_ratio()
    return counts.astype(np.float64) * float(numerator) / float(denominator)

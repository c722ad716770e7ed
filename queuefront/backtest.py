"""A backtest from end to end: assets in, a run with its tables, figures and report out."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from numba.core.errors import NumbaError

from queuefront.core.clock import monotonic_s
from queuefront.core.code_cache import load_quickly
from queuefront.core.enums import CODE_NAMES
from queuefront.core.errors import ConfigError, QueuefrontError, StrategyError
from queuefront.feed import Tape, replacing
from queuefront.sim import (
    Asset,
    AssetResult,
    Backtester,
    InterpolatedLatency,
    build_backtester,
    read_results,
    read_series,
)

if TYPE_CHECKING:
    from datetime import datetime

    import plotly.graph_objects as go
    import polars as pl

    from queuefront.feed import Passport
    from queuefront.report import Explanation, MarketData, Summary

__all__ = ["Backtest", "Run"]

_SECOND: Final = 1_000_000_000
_SAMPLES_WANTED: Final = 200_000
_MESSAGE_CHARS: Final = 200


class Backtest:
    """A set of assets to run strategies on.

    Parameters
    ----------
    assets : one or more `Asset`; a strategy numbers them from 0.
    sample_every_ns : spacing of the equity table, ns. None: one second, or more on long tapes, so that about
    200,000 samples
        come out. A sample is taken when the strategy first wakes that much later; 0 takes only the last one.
    records : keep every fill and order change. Without them a run has no fills and orders tables.
    trace : keep everything that happens to our orders at the exchange, for `Run.explain` and `Run.traces`.
    series : names of the series that the strategy records for itself with `hbt.record_value(number, value)`.
    charge_compute : let the processor time that the strategy spends between its calls pass in the simulation. Such runs are
        not repeatable to the bit: the time is measured.

    Raises
    ------
    ConfigError, DataError
        If an asset cannot be built.
    """

    def __init__(
        self,
        assets: Sequence[Asset] | Asset,
        *,
        sample_every_ns: int | None = None,
        records: bool = True,
        trace: bool = False,
        series: Sequence[str] = (),
        charge_compute: bool = False,
    ) -> None:
        self.assets = [assets] if isinstance(assets, Asset) else list(assets)
        for i, asset in enumerate(self.assets):
            if not isinstance(asset, Asset):
                raise ConfigError(f"asset {i} is {type(asset).__name__!r}; give queuefront.Asset objects")
        if sample_every_ns is not None and sample_every_ns < 0:
            raise ConfigError(f"sample_every_ns is {sample_every_ns}; give nanoseconds, or 0 for no samples")
        self.tapes = [asset.load() for asset in self.assets]
        for tape in self.tapes:
            tape.make_index()  # here, so that no run waits for it
        self.records = records
        self.trace = trace
        self.series = tuple(series)
        self.charge_compute = charge_compute
        self.sample_every_ns = _default_spacing(self.tapes) if sample_every_ns is None else int(sample_every_ns)

    @cached_property
    def passports(self) -> list[Passport]:
        """How good the tapes are, judged by each asset's limits."""
        from queuefront.feed import passport_of

        return [passport_of(tape, asset.passport) for asset, tape in zip(self.assets, self.tapes, strict=True)]

    def run(self, strategy: Callable[..., Any], *args: Any) -> Run:
        """Run a strategy from the first event, as often as you like; runs do not influence one another.

        Parameters
        ----------
        strategy : a function of the backtest and `args`, compiled with `numba.njit` or plain Python. What it returns is
            kept.
        args : numbers, arrays or other values that compiled code takes.

        Raises
        ------
        StrategyError
            If the strategy raises, or a model of one's own does not compile.
        """
        load_quickly(strategy)
        hbt, handles = self._build()
        started = monotonic_s()
        with _failures_of(strategy):
            returned = _call(strategy, hbt, args)
        seconds = monotonic_s() - started
        results = read_results(hbt, handles, self.assets, self.tapes)
        return Run(self, strategy, args, returned, seconds, hbt, results)

    def prepare(self, strategy: Callable[..., Any], *args: Any) -> None:
        """Compile a strategy for arguments of these types, or load it from Numba's cache, without running it.

        Raises
        ------
        StrategyError
            If it does not compile.
        """
        load_quickly(strategy)
        hbt, _ = self._build()
        if hasattr(strategy, "compile"):
            from numba import typeof

            with _failures_of(strategy):
                strategy.compile(tuple(typeof(value) for value in (hbt, *args)))

    def _build(self) -> tuple[Backtester, list[Any]]:
        try:
            return build_backtester(
                self.assets,
                self.tapes,
                records=self.records,
                sample_every_ns=self.sample_every_ns,
                traces=self.trace,
                charges_compute=self.charge_compute,
            )
        except NumbaError as e:
            raise StrategyError(_model_failure(str(e))) from None


@contextmanager
def _failures_of(strategy: Callable[..., Any]) -> Iterator[None]:
    """Turn what a strategy raises into a StrategyError."""
    try:
        yield
    except QueuefrontError:
        raise
    except Exception as e:
        first_line = str(e).strip().split("\n", 1)[0]
        raise StrategyError(f"strategy {_name(strategy)!r} raised {type(e).__name__}: {first_line}") from e


class Run:
    """What a strategy did, and what came of it.

    Attributes
    ----------
    returned : what the strategy returned.
    seconds : how long it ran, compilation included.
    results : the raw records, one `AssetResult` an asset.
    error_code : the first error inside the engine, 0 for none; see `core.enums.CODE_NAMES`.
    """

    def __init__(
        self,
        backtest: Backtest,
        strategy: Callable[..., Any],
        args: tuple[Any, ...],
        returned: Any,
        seconds: float,
        hbt: Backtester,
        results: list[AssetResult],
    ) -> None:
        self.backtest, self.returned, self.seconds, self.results = backtest, returned, seconds, results
        self.error_code = error_code_of(hbt)
        self._series = read_series(hbt)
        self._strategy, self._args = strategy, args

    def __repr__(self) -> str:
        fills = sum(len(r.fills) for r in self.results)
        return f"<Run of {_name(self._strategy)} over {len(self.results)} assets: {fills:,} fills in {self.seconds:.2f} s>"

    # --- tables -------------------------------------------------------------------------------------------------------
    @cached_property
    def fills(self) -> pl.DataFrame:
        """Every fill of every asset, by the time we learned of it."""
        return _stack(self._fills, "local_ts")

    @cached_property
    def orders(self) -> pl.DataFrame:
        """Every change of every order, requests and responses, by local time."""
        return _stack(self._orders, "local_ts")

    @cached_property
    def equity(self) -> pl.DataFrame:
        """Position, money and equity of every asset over time."""
        return _stack(self._equity, "timestamp")

    @cached_property
    def traces(self) -> pl.DataFrame:
        """Everything that happened to our orders at the exchange, by its time; empty unless the backtest traces."""
        from queuefront.report import trace_frame

        return _stack([_numbered(trace_frame(r.traces, r.instrument), k, r) for k, r in enumerate(self.results)], "exch_ts")

    @cached_property
    def series(self) -> pl.DataFrame:
        """What the strategy recorded with `record_value`: timestamp, series (its name, or its number), value."""
        import polars as pl

        names = dict(enumerate(self.backtest.series))
        numbers = self._series["series_no"].tolist()
        return pl.DataFrame(
            {
                "timestamp": pl.Series(self._series["timestamp"]).cast(pl.Datetime("ns", "UTC")),
                "series": pl.Series([names.get(k, str(k)) for k in numbers], dtype=pl.String),
                "value": self._series["value"],
            }
        )

    def explain(
        self, order_id: int, asset_no: int = 0, *, occurrence: int = -1, at: int | datetime | None = None
    ) -> Explanation:
        """Return why an order filled, or did not, and what it would have come to had it arrived earlier.

        Where a strategy uses an id again, `occurrence` says which order is meant: 0 the first, -1 the last. Or `at` a time,
        ns or as the tables of the run show it: the last that was sent by then. A fill's time names the order that filled.

        Raises
        ------
        ConfigError
            If the strategy sent no such order, or the backtest keeps no records or traces.
        """
        from queuefront.report import explain_order

        if not (self.backtest.trace and self.backtest.records):
            raise ConfigError("this run kept no traces of its orders; make it with Backtest(…, trace=True)")
        result = self.results[asset_no]
        asset, tape = self.backtest.assets[asset_no], self.backtest.tapes[asset_no]
        return explain_order(order_id, result.traces, result.changes, asset, tape, occurrence=occurrence, at=at)

    @cached_property
    def _fills(self) -> list[pl.DataFrame]:
        from queuefront.report import fills_frame

        return [
            fills_frame(r.fills, r.instrument, r.amount_unit, r.fee_unit, asset_no=k) for k, r in enumerate(self.results)
        ]

    @cached_property
    def _orders(self) -> list[pl.DataFrame]:
        from queuefront.report import orders_frame

        return [_numbered(orders_frame(r.changes, r.instrument), k, r) for k, r in enumerate(self.results)]

    @cached_property
    def _equity(self) -> list[pl.DataFrame]:
        from queuefront.report import equity_frame

        return [_numbered(equity_frame(r.samples, r.instrument), k, r) for k, r in enumerate(self.results)]

    @cached_property
    def _market_data(self) -> list[MarketData]:
        from queuefront.report import market_data

        kept = zip(self.backtest.passports, self._equity, self._fills, self.backtest.tapes, strict=True)
        return [market_data(passport, *tables, is_masked=tape.is_masked) for passport, *tables, tape in kept]

    # --- what came of it ------------------------------------------------------------------------------------------------
    def summary(self, **options: Any) -> Summary:
        """Return the figures of the run; options are those of `report.summarize`. Printed, it is a table."""
        from queuefront.report import summarize

        instruments = [r.instrument for r in self.results]
        changes = [r.changes for r in self.results] if self.backtest.records else None
        return summarize(self._equity, self._fills, instruments, changes, market=self._market_data, **options)

    def plot(self, asset_no: int = 0) -> go.Figure:
        """Return the figure of one asset: equity and price with fills, position, drawdown."""
        from queuefront.report import currency_of, run_figure

        instrument = self.results[asset_no].instrument
        return run_figure(
            self._equity[asset_no],
            self._fills[asset_no],
            title=f"{instrument.venue}:{instrument.symbol}",
            currency=currency_of(instrument),
        )

    def report(self, path: str | os.PathLike[str], *, title: str | None = None) -> Path:
        """Write the HTML report and return its path."""
        from queuefront.report import write_report

        return write_report(
            Path(path),
            title=title or f"Backtest of {_name(self._strategy)}",
            summary=self.summary(),
            equity=self._equity,
            fills=self._fills,
            config=self.config(),
            tapes=[_identity(tape) for tape in self.backtest.tapes],
        )

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write summary.json, fills.parquet, orders.parquet, equity.parquet and report.html into a folder; return it."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "summary.json") as file:
            file.write(msgspec.json.format(msgspec.json.encode(self.summary()), indent=2) + b"\n")
        for name, table in (("fills", self.fills), ("orders", self.orders), ("equity", self.equity)):
            with replacing(folder / f"{name}.parquet") as file:
                table.write_parquet(file)
        self.report(folder / "report.html")
        return folder

    def config(self) -> dict[str, Any]:
        """Return everything that determined the run, as plain values."""
        return {
            "strategy": {"function": _name(self._strategy), "arguments": [_plain(a) for a in self._args]},
            "assets": [
                {
                    "instrument": tape.instrument.to_dict(),
                    **{name: _model(getattr(asset, name)) for name in ("latency", "queue", "exchange", "fees")},
                    "funding_payments": len(asset.funding),
                    "balances": [str(amount) for amount in asset.balances] if asset.balances is not None else None,
                    "last_trades_capacity": asset.last_trades_capacity,
                    "mask_bad_spans": asset.mask_bad_spans,
                }
                for asset, tape in zip(self.backtest.assets, self.backtest.tapes, strict=True)
            ],
            "run": {
                "sample_every_ns": self.backtest.sample_every_ns,
                "result": CODE_NAMES.get(self.error_code, str(self.error_code)),
            },
        }


def _call(strategy: Callable[..., Any], hbt: Backtester, args: tuple[Any, ...]) -> Any:
    """Call a strategy; if its cached machine code belongs to a module of another name, compile it anew.

    Numba finds cached code by the file, and then imports the module that the file was when it was compiled: `examples.grid`
    in a notebook, another name where `qf backtest examples/grid.py` loaded it.
    """
    try:
        return strategy(hbt, *args)
    except ModuleNotFoundError as e:
        names = {frame.name for frame in traceback.extract_tb(e.__traceback__)}
        own = getattr(getattr(strategy, "py_func", None), "__globals__", None)
        if "_rebuild_env" not in names or own is None:
            raise
    for function in (strategy, *own.values()):
        cache = getattr(function, "_cache", None)
        if cache is not None and getattr(function, "__module__", None) == strategy.__module__:
            cache.flush()
    return strategy(hbt, *args)


def error_code_of(hbt: Backtester) -> int:
    """Return the first error code of a run, 0 for none."""
    from queuefront.sim import read_error_code

    return int(read_error_code(hbt))


def _model_failure(message: str) -> str:
    """Return in one line why a model of one's own does not compile, and where, of what Numba says."""
    package = str(Path(__file__).parent)
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in message.splitlines()]
    for i, line in enumerate(lines):
        place = re.match(r"During: typing of .* at (.+) \((\d+)\)$", line)
        if place and not place[1].startswith(package):
            what = next((text for text in reversed(lines[:i]) if text), "Numba does not say why")
            what = what if len(what) <= _MESSAGE_CHARS else f"{what[:_MESSAGE_CHARS]}…"
            return f"{place[1]}:{place[2]}: a model of one's own does not compile: {what}; mend the line"
    return f"a model of one's own does not compile: {next((line for line in lines if line), message)}"


def _default_spacing(tapes: Sequence[Tape]) -> int:
    firsts = [t for tape in tapes for t in (tape.meta["first_exch_ts"], tape.meta["first_local_ts"]) if t is not None]
    lasts = [t for tape in tapes for t in (tape.meta["last_exch_ts"], tape.meta["last_local_ts"]) if t is not None]
    span = max(lasts, default=0) - min(firsts, default=0)
    return max(1, -(-span // (_SAMPLES_WANTED * _SECOND))) * _SECOND


def _name(strategy: Callable[..., Any]) -> str:
    return str(getattr(strategy, "__name__", strategy))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return f"array of {value.dtype}, shape {value.shape}"
    return value if isinstance(value, int | float | str | bool | None) else repr(value)


def _model(model: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"model": type(model).__name__}
    if isinstance(model, InterpolatedLatency):
        return out | {"rows": len(model.rows), "offset_ns": model.offset_ns}
    if is_dataclass(model) and not isinstance(model, type):
        values = {field.name: getattr(model, field.name) for field in fields(model)}
        out |= {k: _shown(v) for k, v in values.items() if v is not None}
    return out


def _shown(value: Any) -> Any:
    if callable(value):
        return _name(value)
    if isinstance(value, np.ndarray):
        return _plain(value)
    return value if isinstance(value, int | float | bool) else str(value)


def _identity(tape: Tape) -> dict[str, Any]:
    meta = tape.meta
    return {
        "symbol": tape.instrument.symbol,
        "venue": tape.instrument.venue,
        "start_ts": meta["first_exch_ts"],
        "end_ts": meta["last_exch_ts"],
        "events": meta["events"],
        "checksum": meta["checksum"],
        "source": meta["source"],
        "counts": meta["counts"],
    }


def _numbered(table: pl.DataFrame, asset_no: int, result: AssetResult) -> pl.DataFrame:
    import polars as pl

    return table.with_columns(asset=pl.lit(asset_no, dtype=pl.Int64), symbol=pl.lit(result.instrument.symbol))


def _stack(tables: list[pl.DataFrame], by: str) -> pl.DataFrame:
    import polars as pl

    return pl.concat(tables).sort(by, maintain_order=True)

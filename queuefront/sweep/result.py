"""The result of one parameter set: a folder with its tables, and the figures of its summary.

A folder is written under another name and renamed when it is whole, so that an interrupted sweep leaves results that are
whole and nothing else. Its name is the identity of the set: a digest of the parameters and of all else that made it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from queuefront.sweep.grid import Scalar

if TYPE_CHECKING:
    from queuefront.backtest import Run
    from queuefront.report import Summary

__all__ = ["FIGURES", "SetResult", "identity_of", "is_better_when_small", "read_result", "write_result"]

#: The figures of a set's row, by their names in `report.AssetSummary` and `report.OrderOutcomes`.
FIGURES: Final = (
    "net_profit",
    "gross_profit",
    "fees",
    "return_over_value",
    "sharpe",
    "sortino",
    "max_drawdown",
    "fills",
    "maker_share",
    "volume",
    "value",
    "max_position",
    "mean_position",
    "final_position",
    "mean_queue_ahead",
    "median_queue_ahead",
    "submitted",
    "filled",
    "partly_filled",
    "canceled",
    "expired",
    "fill_rate",
    "cancel_ratio",
)
_SMALL: Final = frozenset(
    {"fees", "max_drawdown", "max_position", "mean_position", "mean_queue_ahead", "median_queue_ahead"}
)
_RECORD: Final = "result.json"


class SetResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one parameter set; `error` says why there are no figures."""

    identity: str
    parameters: dict[str, bool | int | float]
    figures: dict[str, float | int | None] = {}
    result: str = ""  # of the engine, see `core.enums.CODE_NAMES`
    error: str | None = None
    tables: dict[str, str] = {}  # sha256 by file name
    is_kept: bool = False  # from an earlier sweep


def is_better_when_small(figure: str) -> bool:
    """Return whether less of a figure is better, as of fees."""
    return figure in _SMALL


def identity_of(digest: str, arguments: Sequence[Scalar]) -> str:
    """Return the identity of a set: 24 hexadecimal digits of the session's digest and the arguments."""
    told = json.dumps([[type(value).__name__, repr(value)] for value in arguments])
    return hashlib.sha256(f"{digest} {told}".encode()).hexdigest()[:24]


def write_result(run: Run, folder: Path, identity: str, parameters: Mapping[str, Scalar]) -> SetResult:
    """Write the tables and figures of a run into `folder / identity`, whole or not at all, and return the figures."""
    from queuefront.core.enums import CODE_NAMES

    aside = Path(tempfile.mkdtemp(prefix=f".{identity}.", suffix=".part", dir=folder))
    try:
        for name, table in (("fills.parquet", run.fills), ("equity.parquet", run.equity)):
            table.write_parquet(aside / name)
        result = SetResult(
            identity=identity,
            parameters=dict(parameters),
            figures=_figures(run.summary()),
            result=CODE_NAMES.get(run.error_code, str(run.error_code)),
            tables={path.name: _digest(path) for path in sorted(aside.iterdir())},
        )
        (aside / _RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
        aside.chmod(0o755)
        target = folder / identity
        if target.exists():  # a result that could not be read, or one that another sweep has just written
            shutil.rmtree(target)
        aside.rename(target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return result


def read_result(folder: Path, identity: str) -> SetResult | None:
    """Return the result that stands in `folder / identity`; None where there is none that is whole."""
    place = folder / identity
    try:
        result = msgspec.json.decode((place / _RECORD).read_bytes(), type=SetResult)
    except (OSError, msgspec.DecodeError):
        return None
    if result.identity != identity or any(_digest(place / name) != digest for name, digest in result.tables.items()):
        return None
    return msgspec.structs.replace(result, is_kept=True)


def _digest(path: Path) -> str:
    """Return a digest of a file; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _figures(summary: Summary) -> dict[str, float | int | None]:
    """Return the figures of the total; where currencies do not add up, those of each asset, `name_0` and so on."""
    if summary.total is not None:
        return {name: _figure(summary.total, name) for name in FIGURES}
    return {f"{name}_{i}": _figure(asset, name) for i, asset in enumerate(summary.assets) for name in FIGURES}


def _figure(asset: Any, name: str) -> float | int | None:
    owner = asset if hasattr(asset, name) else asset.orders
    return getattr(owner, name, None)

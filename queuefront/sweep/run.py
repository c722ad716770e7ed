"""A sweep from end to end: parameter sets in, a folder of results and a summary frame out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuefront.core import ConfigError
from queuefront.sweep.grid import Scalar
from queuefront.sweep.pool import Pool
from queuefront.sweep.recipe import Recipe
from queuefront.sweep.result import SetResult, is_better_when_small, read_result
from queuefront.sweep.worker import Order

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Sweep", "run_sweep"]


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to, in the order of the sets, whatever the order in which they ran.

    Attributes
    ----------
    folder : holds summary.parquet, and below `sets` a folder a set with fills.parquet and equity.parquet.
    results : one a set.
    """

    folder: Path
    results: Sequence[SetResult]

    @property
    def failed(self) -> list[SetResult]:
        """The sets that have an error and no figures."""
        return [result for result in self.results if result.error is not None]

    def frame(self) -> pl.DataFrame:
        """Return a row a set: its parameters, its figures, the engine's result, its error (null: none), its folder."""
        import polars as pl

        names = list(dict.fromkeys(name for result in self.results for name in result.figures))
        columns: dict[str, list[Any]] = {}
        for name in dict.fromkeys(name for result in self.results for name in result.parameters):
            # A parameter may be called what a figure is called.
            column = f"parameter_{name}" if name in names or name in ("result", "error", "folder") else name
            columns[column] = [result.parameters.get(name) for result in self.results]
        columns |= {name: [result.figures.get(name) for result in self.results] for name in names}
        columns["result"] = [result.result or None for result in self.results]
        columns["error"] = [result.error for result in self.results]
        columns["folder"] = [None if result.error else f"sets/{result.identity}" for result in self.results]
        texts = dict.fromkeys(("result", "error", "folder"), pl.String)
        return pl.DataFrame(columns, schema_overrides=texts, strict=False, infer_schema_length=None)

    def best(self, metric: str = "net_profit") -> pl.DataFrame:
        """Return the rows that have a metric, the best first; equal ones in the order of the sets.

        Raises
        ------
        ConfigError
            If there is no such figure.
        """
        frame = self.frame()
        if metric not in frame.columns:
            raise ConfigError(f"metric {metric!r} is no figure of the sweep; choose one of {', '.join(self._figures())}")
        known = frame.drop_nulls(metric)
        return known.sort(metric, descending=not is_better_when_small(metric), maintain_order=True)

    def _figures(self) -> list[str]:
        return list(dict.fromkeys(name for result in self.results for name in result.figures))


def run_sweep(
    recipe: Recipe,
    sets: Sequence[Mapping[str, Scalar]],
    folder: str | os.PathLike[str],
    *,
    jobs: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Sweep:
    """Run a strategy with every parameter set, on all cores; what an earlier sweep has left whole is kept.

    Every result is the one that a run of its own would give, whatever the order and the number of jobs. A set that
    fails has its error in the place of figures.

    Parameters
    ----------
    recipe : strategy, tapes and models; a `FunctionRecipe`, usually.
    sets : values by parameter name, see `parameter_sets`.
    folder : where results go; made if it is not there.
    jobs : how many sets run at once; as many as cores that we may use unless given.
    progress : told how many sets are done, and how many there are.

    Raises
    ------
    ConfigError, DataError, StrategyError
        If the strategy cannot be loaded or compiled, a set does not fit its parameters, or a tape cannot be used.
    """
    if not sets:
        raise ConfigError("a sweep needs parameter sets; give at least one")
    if jobs is not None and jobs < 1:
        raise ConfigError(f"jobs is {jobs}; give at least 1, or leave it out for all cores")
    folder = Path(folder)
    results_folder = folder / "sets"
    results_folder.mkdir(parents=True, exist_ok=True)
    told = progress or (lambda _done, _total: None)
    told(0, len(sets))
    results: list[SetResult | None] = [None] * len(sets)
    order = Order(
        recipe, [dict(parameters) for parameters in sets], results_folder, threads=min(jobs or _core_count(), len(sets))
    )
    with Pool(order) as pool:
        import polars as pl  # noqa: F401 - for the summary; here, while the worker starts

        identities = pool.open()
        _remove_torsos(results_folder, frozenset(identities))
        for i, identity in enumerate(identities):
            results[i] = read_result(results_folder, identity)
        pending = [i for i, result in enumerate(results) if result is None]
        done = len(sets) - len(pending)
        told(done, len(sets))
        for i, result in pool.run(pending, identities):
            results[i] = result
            done += 1
            told(done, len(sets))
    sweep = Sweep(folder, [result for result in results if result is not None])
    _write_summary(sweep)
    return sweep


def _remove_torsos(folder: Path, identities: frozenset[str]) -> None:
    """Remove what workers were writing when an earlier sweep was interrupted."""
    for path in folder.glob(".*.part"):
        if path.name.split(".")[1] in identities:
            shutil.rmtree(path, ignore_errors=True)


def _write_summary(sweep: Sweep) -> None:
    from queuefront.feed.files import replacing

    with replacing(sweep.folder / "summary.parquet") as file:
        sweep.frame().write_parquet(file)


def _core_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

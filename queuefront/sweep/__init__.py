"""Many parameter sets over the same tapes, on all cores.

Names are loaded when they are first used: a command that starts workers needs no compiled code of its own.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queuefront.sweep.grid import parameter_sets, read_grid
    from queuefront.sweep.heatmap import heatmap_figure, write_heatmap
    from queuefront.sweep.recipe import FunctionRecipe, Recipe, Session, digest_of
    from queuefront.sweep.result import FIGURES, SetResult, is_better_when_small
    from queuefront.sweep.run import Sweep, run_sweep

__all__ = [
    "FIGURES",
    "FunctionRecipe",
    "Recipe",
    "Session",
    "SetResult",
    "Sweep",
    "digest_of",
    "heatmap_figure",
    "is_better_when_small",
    "parameter_sets",
    "read_grid",
    "run_sweep",
    "write_heatmap",
]

_HOMES = {
    "grid": ("parameter_sets", "read_grid"),
    "heatmap": ("heatmap_figure", "write_heatmap"),
    "recipe": ("FunctionRecipe", "Recipe", "Session", "digest_of"),
    "result": ("FIGURES", "SetResult", "is_better_when_small"),
    "run": ("Sweep", "run_sweep"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'queuefront.sweep' has no attribute {name!r}")
    value = getattr(import_module(f"queuefront.sweep.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value

"""Many parameter sets over the same tapes, on all cores.

Names are loaded when they are first used: a command that starts workers needs no compiled code of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queuefront.core.lazy import lazily

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

_HOMES: Final = {
    "grid": (
        "parameter_sets",
        "read_grid",
    ),
    "heatmap": (
        "heatmap_figure",
        "write_heatmap",
    ),
    "recipe": (
        "FunctionRecipe",
        "Recipe",
        "Session",
        "digest_of",
    ),
    "result": (
        "FIGURES",
        "SetResult",
        "is_better_when_small",
    ),
    "run": (
        "Sweep",
        "run_sweep",
    ),
}

__getattr__, __dir__ = lazily(__name__, _HOMES)

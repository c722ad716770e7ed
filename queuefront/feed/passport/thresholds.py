"""Where good ends: the limits by which a tape is judged. docs/passport.md gives the reason of each."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from queuefront.core.errors import ConfigError

__all__ = ["PassportThresholds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassportThresholds:
    """Limits of a passport's verdicts; what lies beyond one is suspect or bad as its name says.

    A multiple is of what is usual in the same tape, so that quiet and busy markets are judged alike; the floor beside it is
    the least that is ever called wrong. Shares are of the span's time, rows or trades, from 0 to 1.
    """

    silence_suspect_multiple: float = 20.0
    silence_suspect_ms: float = 1_000.0
    silence_bad_multiple: float = 50.0
    silence_bad_ms: float = 3_000.0
    frozen_trades: int = 5
    sequence_gaps_bad: int = 1
    crossed_suspect_share: float = 0.01
    crossed_bad_share: float = 0.1
    crossed_bad_levels: int = 4
    locked_suspect_share: float = 0.05
    empty_suspect_share: float = 0.05
    empty_bad_share: float = 0.5
    inverted_bad_share: float = 0.01
    latency_multiple: float = 5.0
    latency_suspect_ms: float = 100.0
    latency_bad_ms: float = 1_000.0
    duplicates_suspect_share: float = 0.01
    duplicates_bad_share: float = 0.05
    repeated_trades_suspect_share: float = 0.5
    unordered_suspect_share: float = 0.75
    price_floor_ticks: float = 5.0
    outside_suspect_share: float = 0.95
    outside_suspect_multiple: float = 5.0
    outside_suspect_bp: float = 20.0
    outside_bad_multiple: float = 20.0
    outside_bad_bp: float = 100.0
    jump_suspect_multiple: float = 10.0
    jump_suspect_bp: float = 50.0
    spike_bad_multiple: float = 5.0
    spike_bad_bp: float = 20.0
    spread_suspect_multiple: float = 20.0
    spread_suspect_ticks: float = 10.0
    off_grid_bad_share: float = 0.01
    rate_suspect_share: float = 0.02
    rows_min: int = 20
    tape_bad_share: float = 0.1
    tape_suspect_share: float = 0.05

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
                raise ConfigError(f"{field.name} is {value!r}; give a number from 0")
            if field.name.endswith("_share") and value > 1:
                raise ConfigError(f"{field.name} is {value!r}; give a share from 0 to 1")

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> PassportThresholds:
        """Read a TOML file whose keys are the names of limits; those that it leaves out keep their defaults.

        Raises
        ------
        ConfigError
            For a file that is no TOML, and for an unknown key or a value that is no such number, naming it.
        """
        import tomllib

        source = Path(path)
        try:
            values: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
            raise ConfigError(f"{source}: not readable as TOML: {e}; mend the file") from e
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise ConfigError(f"{source}: there is no limit {name!r}; choose from {', '.join(known)}")
        try:
            return cls(**values)
        except ConfigError as e:
            raise ConfigError(f"{source}: {e}") from e

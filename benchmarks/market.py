"""A market on disk. Stands alone, so that a cold process loads nothing but its own engine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Market"]


@dataclass(frozen=True)
class Market:
    """One market, as each engine reads it."""

    name: str
    events: int
    tape: Path
    npz: Path
    tick_size: float
    lot_size: float
    is_by_order: bool = False

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Market:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "tape": Path(fields["tape"]), "npz": Path(fields["npz"])})

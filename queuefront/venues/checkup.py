"""What a look at a venue found, and what must be mended before trading there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from queuefront.core import format_duration, to_ns
from queuefront.venues.errors import VenueError
from queuefront.venues.outcome import Outcome, value_of
from queuefront.venues.server_clock import ServerClock

__all__ = ["OFFSET_MAX_NS", "Checkup", "note_clock", "noted"]

T = TypeVar("T")

#: A clock that is further off than this makes the venue refuse requests ahead of its time.
OFFSET_MAX_NS = to_ns(1, "s")


@dataclass(slots=True)
class Checkup:
    """What was found: (what, finding) pairs, and what must be mended."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    instruments: list[tuple[str, str, str, str, str]] = field(default_factory=list)  # symbol, tick, lot, notional, trading


def note_clock(found: Checkup, clock: ServerClock) -> None:
    """Note how far this machine's clock is from the venue's; too far is a problem."""
    offset, uncertainty = clock.offset_ns, clock.uncertainty_ns or 0
    found.pairs.append(("clock, venue minus ours", f"{offset / 1e6:+.1f} ms ± {uncertainty / 1e6:.1f} ms"))
    if abs(offset) - uncertainty > OFFSET_MAX_NS:
        found.problems.append(
            f"this machine's clock is {format_duration(abs(offset))} {'behind' if offset > 0 else 'ahead'}; "
            "times of events are compared with it: synchronise it, for example with chrony"
        )


def noted(found: Checkup, what: str, outcome: Outcome[T]) -> bool:
    """Note what was not answered; return whether it was."""
    try:
        value_of(outcome, what)
    except VenueError as e:
        found.problems.append(str(e))
        return False
    return True

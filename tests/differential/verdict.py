"""Runs a case on the reference, twice, and on our engine, and judges.

Where the reference disagrees with itself (row D8: it walks hash maps), the case is undecided: neither equal nor different.
A case that differs is cut down to a small one and printed as a test that can be pasted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.differential.compare import Difference, comparable_rows, differences
from tests.differential.driver import run
from tests.differential.engines import Case, Engine
from tests.differential.minimise import as_test, minimise


@dataclass
class Tally:
    """What all comparisons of a session amount to; conftest prints it."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {what}" for what, count in sorted(self.outcomes.items()))


@dataclass(frozen=True)
class Judge:
    """Compares our engine with the reference."""

    reference: Engine
    subject: Engine
    tally: Tally

    def check(self, case: Case, *, ignored: tuple[str, ...] = (), strict_reference: bool = False) -> int:
        """Fail, with a reduced case, unless both engines show the same. Return how many calls were compared."""
        found = self._differences(case, ignored, strict_reference)
        self.tally.outcomes["cases"] += 1
        if found is None:
            self.tally.outcomes["undecided cases"] += 1
            return 0
        if found:
            small = minimise(case, lambda c: bool(self._differences(c, ignored, strict_reference)))
            found = self._differences(small, ignored, strict_reference) or found
            raise AssertionError("\n".join([*map(str, found), "", "The reduced case:", "", as_test(small)]))
        return self._count(case)

    def _differences(self, case: Case, ignored: tuple[str, ...], strict_reference: bool) -> list[Difference] | None:
        first = run(self.reference, case)
        if differences(case, first, run(self.reference, case), money=True):
            return None
        return differences(
            case, first, run(self.subject, case, strict_reference=strict_reference), ignored=ignored, money=strict_reference
        )

    def _count(self, case: Case) -> int:
        log = run(self.reference, case)
        rows, reason = comparable_rows(case, log)
        self.tally.outcomes["calls compared"] += rows
        if reason:
            self.tally.outcomes[f"cases ended early by {reason}"] += 1
        for asset in range(len(case.assets)):
            if rows:
                self.tally.outcomes["fills booked"] += int(log.column("num_trades", asset)[rows - 1])
        return rows

"""Faults that the paper exchange shows on purpose, from a script or from a seed.

A script is TOML::

    seed = 7

    [[fault]]
    kind = "timeout"              # see FaultKind
    target = "POST */order"       # a glob: of "METHOD path" for calls, of the stream's name for frames
    probability = 0.05            # at each opportunity; 1 unless given
    after_s = 10                  # since the start, in the venue's time
    until_s = 60
    count = 3                     # at most so often
    executes = true               # timeout, server-error, empty-answer: the request was carried out all the same

Each fault draws from a stream of its own, so that another line in the script leaves the draws of the others as they
were.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from queuefront.core.clock import NS_PER
from queuefront.core.errors import ConfigError
from queuefront.kernel.dice import Dice

__all__ = ["Fault", "FaultKind", "FaultPlan", "load_faults", "random_faults"]

_CERTAIN: Final = 10**9


class FaultKind(StrEnum):
    """What goes wrong."""

    DROP = "drop"  # a frame is never sent
    DUPLICATE = "duplicate"  # a frame is sent twice
    DELAY = "delay"  # a frame is sent `ms` later
    REORDER = "reorder"  # a frame is sent after the one that follows it
    SKIP_DEPTH = "skip-depth"  # a depth update is never sent
    MALFORMED_FRAME = "malformed-frame"  # a frame is cut off in its middle
    UNKNOWN_ENUM = "unknown-enum"  # a frame carries a word that no client knows
    DISCONNECT = "disconnect"  # the connection is closed in place of a frame
    EXPIRE_LISTEN_KEYS = "expire-listen-keys"  # every listen key ends
    TOO_MANY_REQUESTS = "too-many-requests"  # 429, -1003
    BANNED = "banned"  # 418, -1003, for two minutes
    SERVER_ERROR = "server-error"  # 503, -1000: nobody knows what became of it
    INTERNAL_ERROR = "internal-error"  # 503, -1001: it failed
    OVERLOADED = "overloaded"  # 503, -1008: it failed
    TIMEOUT = "timeout"  # -1007: nobody knows what became of it
    SLOW = "slow"  # the answer comes `ms` later
    MALFORMED_ANSWER = "malformed-answer"  # the answer is cut off in its middle
    EMPTY_ANSWER = "empty-answer"  # 200 without a word: nobody knows what became of it
    CLOCK_OFFSET = "clock-offset"  # the venue's clock is wrong by `ms`


FRAME_KINDS: Final = frozenset(
    {
        FaultKind.DROP,
        FaultKind.DUPLICATE,
        FaultKind.DELAY,
        FaultKind.REORDER,
        FaultKind.SKIP_DEPTH,
        FaultKind.MALFORMED_FRAME,
        FaultKind.UNKNOWN_ENUM,
        FaultKind.DISCONNECT,
    }
)
TIMED_KINDS: Final = frozenset({FaultKind.EXPIRE_LISTEN_KEYS, FaultKind.CLOCK_OFFSET})


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a script."""

    kind: FaultKind
    target: str = "*"
    probability: float = 1.0
    after_s: float = 0.0
    until_s: float = 1e9
    count: int = 10**9
    ms: int = 200
    executes: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ConfigError(f"fault {self.kind}: the probability is {self.probability}; give 0 to 1")
        if self.count < 0:
            raise ConfigError(f"fault {self.kind}: the count is {self.count}; give 0 or more")


class FaultPlan:
    """The faults of one run. start_ns : when it begins, in the venue's time."""

    def __init__(self, faults: Sequence[Fault] = (), seed: int = 0, start_ns: int = 0) -> None:
        self._start_ns, self._seed = start_ns, seed
        self._lines = [_Line(fault, Dice(seed, i)) for i, fault in enumerate(faults)]
        self.shown: dict[FaultKind, int] = {}

    def add(self, fault: Fault) -> None:
        """Let something more go wrong from now on."""
        self._lines.append(_Line(fault, Dice(self._seed, len(self._lines))))

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._lines.clear()

    def begin(self, start_ns: int) -> None:
        """Let the run begin at another time of the venue."""
        self._start_ns = start_ns

    def frame(self, stream: str, now_ns: int, *, is_depth: bool) -> list[Fault]:
        """Return what befalls a frame of a stream. The user data stream is called `user`."""
        return [
            fault for fault in self._due(stream, now_ns, FRAME_KINDS) if is_depth or fault.kind is not FaultKind.SKIP_DEPTH
        ]

    def call(self, method: str, path: str, now_ns: int) -> list[Fault]:
        """Return what befalls a call."""
        return self._due(f"{method} {path}", now_ns, frozenset(FaultKind) - FRAME_KINDS - TIMED_KINDS)

    def expires_listen_keys(self, now_ns: int) -> bool:
        """Whether listen keys end in this step."""
        return bool(self._due("user", now_ns, frozenset({FaultKind.EXPIRE_LISTEN_KEYS})))

    def clock_offset_ns(self, now_ns: int) -> int:
        """Return by how much the venue's clock is wrong."""
        elapsed_s = (now_ns - self._start_ns) / NS_PER["s"]
        offsets = [
            line.fault.ms
            for line in self._lines
            if line.fault.kind is FaultKind.CLOCK_OFFSET and line.fault.after_s <= elapsed_s < line.fault.until_s
        ]
        return sum(offsets) * NS_PER["ms"]

    def _due(self, name: str, now_ns: int, kinds: frozenset[FaultKind]) -> list[Fault]:
        elapsed_s = (now_ns - self._start_ns) / NS_PER["s"]
        due = []
        for line in self._lines:
            if line.fault.kind in kinds and line.is_due(name, elapsed_s):
                self.shown[line.fault.kind] = self.shown.get(line.fault.kind, 0) + 1
                due.append(line.fault)
        return due


class _Line:
    """A fault with its draws and how often it was shown."""

    def __init__(self, fault: Fault, dice: Dice) -> None:
        self.fault, self._dice, self._shown = fault, dice, 0

    def is_due(self, name: str, elapsed_s: float) -> bool:
        fault = self.fault
        if not fault.after_s <= elapsed_s < fault.until_s or self._shown >= fault.count:
            return False
        if not fnmatchcase(name, fault.target):
            return False
        if self._dice.below(_CERTAIN) >= fault.probability * _CERTAIN:
            return False
        self._shown += 1
        return True


def load_faults(path: Path) -> tuple[list[Fault], int]:
    """Read a script; return its faults and its seed.

    Raises
    ------
    ConfigError
        If it is no TOML, or names something that is not known.
    """
    try:
        script = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: not readable as TOML: {e}") from e
    if unknown := sorted(script.keys() - {"seed", "fault"}):
        raise ConfigError(f"{path}: {unknown[0]!r} is not known; a script of faults has seed and [[fault]]")
    seed, entries = script.get("seed", 0), script.get("fault", [])
    if not isinstance(seed, int) or not isinstance(entries, list):
        raise ConfigError(f"{path}: give seed as a whole number and every fault under [[fault]]")
    return [_fault(path, i, entry) for i, entry in enumerate(entries, 1)], seed


def _fault(path: Path, number: int, entry: dict[str, Any]) -> Fault:
    known = {field.name for field in fields(Fault)}
    if unknown := sorted(entry.keys() - known):
        raise ConfigError(f"{path}: fault {number}: {unknown[0]!r} is not known; it has {', '.join(sorted(known))}")
    try:
        kind = FaultKind(entry.get("kind", ""))
    except ValueError as e:
        raise ConfigError(
            f"{path}: fault {number}: the kind {entry.get('kind', '')!r} is not known; choose one of {', '.join(FaultKind)}"
        ) from e
    kinds = {"target": str, "executes": bool, "ms": int, "count": int}
    for name, value in entry.items():
        wanted = kinds.get(name, str if name == "kind" else int | float)
        if not isinstance(value, wanted) or (isinstance(value, bool) and name != "executes"):
            raise ConfigError(f"{path}: fault {number}: {name} is {value!r}; see docs/paper.md for what it may be")
    return Fault(**{**entry, "kind": kind})


def random_faults(probability: float = 0.01) -> list[Fault]:
    """Return every kind of fault at once, each at its opportunities with a probability, or rarer where it costs much."""
    rare = probability / 10
    return [
        Fault(FaultKind.DROP, "*", probability),
        Fault(FaultKind.DUPLICATE, "*", probability),
        Fault(FaultKind.DELAY, "*", probability, ms=350),
        Fault(FaultKind.REORDER, "*", probability),
        Fault(FaultKind.SKIP_DEPTH, "*", probability),
        Fault(FaultKind.MALFORMED_FRAME, "*", rare),
        Fault(FaultKind.UNKNOWN_ENUM, "*", probability),
        Fault(FaultKind.DISCONNECT, "*", rare),
        Fault(FaultKind.EXPIRE_LISTEN_KEYS, "*", rare),
        Fault(FaultKind.TOO_MANY_REQUESTS, "*", rare),
        Fault(FaultKind.SERVER_ERROR, "*", probability),
        Fault(FaultKind.SERVER_ERROR, "*", probability, executes=True),
        Fault(FaultKind.INTERNAL_ERROR, "*", probability),
        Fault(FaultKind.OVERLOADED, "*", probability),
        Fault(FaultKind.TIMEOUT, "*", probability),
        Fault(FaultKind.TIMEOUT, "*", probability, executes=True),
        Fault(FaultKind.SLOW, "*", probability, ms=150),
        Fault(FaultKind.MALFORMED_ANSWER, "*", rare),
        Fault(FaultKind.CLOCK_OFFSET, ms=-300, after_s=20, until_s=40),
        Fault(FaultKind.BANNED, "*", rare / 10, count=1),
        Fault(FaultKind.EMPTY_ANSWER, "*", rare),
        Fault(FaultKind.EMPTY_ANSWER, "*", rare, executes=True),
    ]

"""Order latencies (spec B5), with D28 and D29 mended.

- *Constant*: the given values. A negative entry latency is a technical rejection after its absolute value.
- *Table*: measured round trips (req_ts, exch_ts, resp_ts), ascending; `exch_ts <= 0` marks a request the exchange refused.
  Requests beside a refused row are refused, at either end too (D29); responses are interpolated between the answered rows
  alone (D28).

- *Sampled*: measured latencies, drawn with replacement by L'Ecuyer's combined generator (Communications of the ACM 31,
  1988, figure 3); one generator for both directions.

Beyond the specification, a constant latency may have entry latencies of its own for cancels and for modifies. They share
the bus with new orders: a message never overtakes an earlier one, so a fast cancel behind a slow order arrives with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from queuefront.core.enums import CANCELED, REPLACED

__all__ = ["ConstantLatency", "Latency", "SampledLatency", "TableLatency"]


@dataclass(frozen=True)
class ConstantLatency:
    """The same latencies all the time, ns; None stands for the entry latency of new orders."""

    entry_ns: int = 0
    response_ns: int = 0
    cancel_ns: int | None = None
    modify_ns: int | None = None

    def entry(self, req: int, now: int) -> int:
        if req == CANCELED and self.cancel_ns is not None:
            return self.cancel_ns
        if req == REPLACED and self.modify_ns is not None:
            return self.modify_ns
        return self.entry_ns

    def response(self, now: int) -> int:
        return self.response_ns


def interpolate(u: int, u1: int, y1: int, u2: int, y2: int) -> int:
    """Division first, then product, truncated toward zero (spec B5.4)."""
    return math.trunc(float(y2 - y1) / float(u2 - u1) * float(u - u1)) + y1


@dataclass(frozen=True)
class TableLatency:
    """Latencies between measured round trips (req_ts, exch_ts, resp_ts)."""

    rows: list[tuple[int, int, int]]

    def entry(self, req: int, now: int) -> int:
        """Return the latency of a request at `now`; negative if it is refused (spec B5.5)."""
        a, b = pair([req_ts for req_ts, _, _ in self.rows], now)
        (u1, exch1, resp1), (u2, exch2, resp2) = self.rows[a], self.rows[b]
        if a == b:
            return exch1 - u1 if exch1 > 0 else -(resp1 - u1)
        if exch1 > 0 and exch2 > 0:
            return interpolate(now, u1, exch1 - u1, u2, exch2 - u2)
        return -interpolate(now, u1, resp1 - u1, u2, resp2 - u2)

    def response(self, now: int) -> int:
        """Return the latency of an answer given at `now` (spec B5.6)."""
        answered = [(exch_ts, resp_ts) for _, exch_ts, resp_ts in self.rows if exch_ts > 0]
        if not answered:
            return 0  # a request that took no time is not refused, though every row is
        a, b = pair([exch_ts for exch_ts, _ in answered], now)
        (u1, resp1), (u2, resp2) = answered[a], answered[b]
        return resp1 - u1 if a == b else interpolate(now, u1, resp1 - u1, u2, resp2 - u2)


def pair(times: list[int], now: int) -> tuple[int, int]:
    """Return the neighbours a, b with times[a] <= now < times[b]; twice the first or last row where there are none."""
    b = sum(ts <= now for ts in times)
    return (max(b - 1, 0), b) if 0 < b < len(times) else (min(b, len(times) - 1),) * 2


@dataclass
class SampledLatency:
    """Measured latencies, drawn at random."""

    entry_ns: tuple[int, ...]
    response_ns: tuple[int, ...]
    seed: int = 0
    state: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = [self.seed + 1, self.seed + 2]

    def draw(self, samples: tuple[int, ...]) -> int:
        for i, (factor, modulus) in enumerate(((40_014, 2_147_483_563), (40_692, 2_147_483_399))):
            self.state[i] = factor * self.state[i] % modulus
        return samples[(self.state[0] - self.state[1]) % 2_147_483_562 % len(samples)]

    def entry(self, req: int, now: int) -> int:
        return self.draw(self.entry_ns)

    def response(self, now: int) -> int:
        return self.draw(self.response_ns)


Latency = ConstantLatency | TableLatency | SampledLatency

"""Measure the execution kernel and write a table: `make bench`, or `python -m benchmarks.kernel --help`.

Every load prints what it came to, so that a faster wrong kernel is no faster kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.run import write_between_marks
from queuefront.kernel import (
    Config,
    Engine,
    Enter,
    Exit,
    MemoryJournal,
    Spec,
    SqliteJournal,
    State,
    audit,
    initial_state,
    open_kernel,
    step,
)
from queuefront.kernel.records import Input
from queuefront.venues import EventKind, MockExchange, MockVenue, Side, VenueEvent

E = EventKind
START = 1_700_000_000 * 10**9


def config(slot_count: int = 10) -> Config:
    """Return the configuration that every load uses."""
    spec = Spec(name="TRX", currency="USDT", unit=10**6, taker_rate_ppm=400)
    return Config(
        lease="bench", currency="USDT", cash_scale=12, start_capital=25_000 * 10**12, specs=(spec,), slot_count=slot_count
    )


def inputs(count: int, slot_count: int = 10) -> Iterator[Input]:
    """Yield round trips over all slots: seven inputs each, two fills in, one out, every order acknowledged."""
    from queuefront.kernel.commands import client_order_id

    seq = 0
    trade = 0
    while seq < count:
        trade += 1
        ts, slot_id = START + trade * 10**6, trade % slot_count
        cid = client_order_id("bench", seq + 1)
        out = client_order_id("bench", seq + 5)
        yield Enter(
            ts=ts, intent_id=f"i{trade}", trade_id=f"t{trade}", slot_id=slot_id, instrument="TRX", side=Side.LONG, lots=100,
            reference_tick=8_340,
        )  # fmt: skip
        yield VenueEvent(ts=ts, kind=E.ACK, cid=cid, event_id="a", venue_order_id=f"v{trade}", cum_lots=0)
        yield VenueEvent(
            ts=ts, kind=E.PARTIAL_FILL, cid=cid, event_id="b", cum_lots=30, last_lots=30, last_tick=8_340, fee=5
        )
        yield VenueEvent(ts=ts, kind=E.FULL_FILL, cid=cid, event_id="c", cum_lots=100, last_lots=70, last_tick=8_360, fee=5)
        yield Exit(ts=ts, intent_id=f"x{trade}", slot_id=slot_id, reference_tick=8_360)
        yield VenueEvent(ts=ts, kind=E.ACK, cid=out, event_id="d", venue_order_id=f"w{trade}", cum_lots=0)
        yield VenueEvent(
            ts=ts, kind=E.FULL_FILL, cid=out, event_id="e", cum_lots=100, last_lots=100, last_tick=8_361, fee=5
        )
        seq += 7


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    load: str
    figure: str
    asked: str
    is_met: bool | None
    check: str

    def markdown(self) -> str:
        """Write it as a row of a Markdown table."""
        met = {None: "", True: "met", False: "**missed**"}[self.is_met]
        return f"| {self.load} | {self.figure} | {self.asked} | {met} | {self.check} |"


def steps_per_second(count: int, slot_count: int, repeats: int) -> tuple[float, State]:
    """Return the best of some runs of `step` alone: other programs only ever make it slower."""
    prepared = list(inputs(count, slot_count))
    best = 0.0
    for _ in range(repeats):
        state = initial_state(config(slot_count))
        gc.collect()
        start = time.perf_counter()
        for entry in prepared:
            state, _ = step(state, entry)
        best = max(best, len(prepared) / (time.perf_counter() - start))
    return best, state


def _check(state: State) -> str:
    if wrong := audit(state):
        raise RuntimeError("; ".join(wrong))
    return f"{state.seq:,} inputs, capital {state.book.capital:,}"


def step_lines(count: int, repeats: int) -> list[Line]:
    """Time `step` alone: its rate, and how it depends on slots and history."""
    rates = {}
    for slots in (10, 1_000):
        rates[slots], state = steps_per_second(count, slots, repeats)
    first, _ = steps_per_second(count // 10, 10, repeats)
    ratio, aged = rates[10] / rates[1_000], first / rates[10]
    return [
        Line("`step` alone, 10 slots", f"{rates[10]:,.0f} inputs/s", "50,000/s", rates[10] >= 50_000, _check(state)),
        Line("… 1,000 slots against 10, time for one input", f"{ratio:.2f}×", "under 1.10×", ratio < 1.10, "as many"),
        Line("… ten times the history, time for one input", f"{aged:.2f}×", "1×", aged < 1.10, f"{count:,} inputs"),
    ]  # fmt: skip


def driver_line(count: int, repeats: int) -> Line:
    """Time journal in memory, step and group of effects: all that the driver does but the venue's own time."""
    prepared = list(inputs(count))
    best = 0.0
    for _ in range(repeats):
        engine = Engine(MemoryJournal(config(), is_kept=False), snapshot_every=10**9)
        start = time.perf_counter()
        for i in range(0, len(prepared), 16):
            engine.apply_all(prepared[i : i + 16])
        best = max(best, len(prepared) / (time.perf_counter() - start))
    return Line(
        "journal in memory and `step`, groups of 16",
        f"{best:,.0f} inputs/s",
        "20,000/s",
        best >= 20_000,
        _check(engine.state),
    )


def fsync_us(folder: Path, count: int) -> list[float]:
    """Return the machine's own fsync times of 4 KiB appended to a file, µs, sorted."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(count):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)


class _Stamping(MockVenue):
    """Notes when a request reaches it: by then the effect was released."""

    def __init__(self, exchange: MockExchange) -> None:
        super().__init__(exchange)
        self.reached: list[float] = []

    async def send(self, request):  # type: ignore[no-untyped-def]
        """Carry out one request."""
        self.reached.append(time.perf_counter())
        return await super().send(request)


async def _entries_us(folder: Path, count: int) -> list[float]:
    exchange = MockExchange(unit=10**6)
    exchange.prices["TRX"] = 8_340
    venue = _Stamping(exchange)
    times = []
    async with await open_kernel(venue, journal=folder / "latency.journal", config=config()) as kernel:
        for n in range(count):
            command = Enter(
                ts=kernel.now(), intent_id=f"i{n}", trade_id=f"t{n}", slot_id=0, instrument="TRX", side=Side.LONG, lots=100,
                reference_tick=8_340,
            )  # fmt: skip
            venue.reached.clear()
            start = time.perf_counter()
            await kernel.submit(command)
            times.append((venue.reached[0] - start) * 1e6)
            await kernel.submit(Exit(ts=kernel.now(), intent_id=f"x{n}", slot_id=0, reference_tick=8_340))
    return sorted(times)


def latency_line(folder: Path, count: int) -> Line:
    """Time one ENTER from the call to the effect released, with the SQLite journal on this disk."""
    disk, entries = fsync_us(folder, count), asyncio.run(_entries_us(folder, count))
    p50, p99 = statistics.median(entries), entries[int(len(entries) * 0.99) - 1]
    own50, own99 = statistics.median(disk), disk[int(len(disk) * 0.99) - 1]
    return Line(
        "ENTER, call to request sent, SQLite journal, p50 and p99",
        f"{p50:,.0f} µs, {p99:,.0f} µs",
        f"beside fsync: {own50:,.0f} µs, {own99:,.0f} µs",
        None,
        f"{count:,} entries",
    )


def recovery_line(folder: Path, count: int, limit_s: float) -> Line:
    """Time opening, verifying and recovering a long journal through its snapshots."""
    path = folder / "long.journal"
    engine = Engine(SqliteJournal(path, config()), snapshot_every=50_000)
    group: list[Input] = []
    for entry in inputs(count):
        group.append(entry)
        if len(group) == 500:
            engine.apply_all(group)
            group.clear()
    engine.apply_all(group)
    seq, capital = engine.state.seq, engine.state.book.capital
    engine.close()
    start = time.perf_counter()
    again = Engine(SqliteJournal(path))
    seconds = time.perf_counter() - start
    if (again.state.seq, again.state.book.capital) != (seq, capital):
        raise RuntimeError("the recovered state is another one")
    check = _check(again.state)
    again.close()
    return Line(f"recovery of a journal of {seq:,} inputs", f"{seconds:.1f} s", f"{limit_s:g} s", seconds < limit_s, check)


def memory_line(count: int) -> Line:
    """Compare the process's memory after a tenth of the inputs and after all."""
    state = initial_state(config())
    sizes = []
    for i, entry in enumerate(inputs(count), 1):
        state, _ = step(state, entry)
        if i == count // 10 or i == count:
            gc.collect()
            sizes.append(_resident_mb())
    grown = sizes[-1] - sizes[0]
    text = f"{sizes[0]:.0f} MB, {sizes[-1]:.0f} MB"
    return Line(f"memory after {count // 10:,} and {count:,} inputs", text, "flat", grown < 10, _check(state))


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure(scale: int, repeats: int) -> str:
    """Run every load, `scale` times smaller than the figures ask, and return the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            *step_lines(210_000 // scale, repeats),
            driver_line(210_000 // scale, repeats),
            latency_line(folder, max(2_000 // scale, 100)),
            recovery_line(folder, 1_000_000 // scale, 10),
            memory_line(10_000_000 // scale),
        ]
    python = platform.python_version()
    machine = f"{platform.system()}, {os.cpu_count()} cores; Python {python}. Rates are the best of {repeats} runs."
    head = "| load | measured | asked |  | came to |\n| --- | ---: | ---: | --- | --- |"
    return "\n".join([machine, "", head, *(line.markdown() for line in lines)])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="divide every size by this")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--write", type=Path, help="page with marks to write the table into")
    options = parser.parse_args(arguments)
    text = measure(options.scale, options.repeats)
    print(text)
    if options.write:
        write_between_marks(options.write, text)


if __name__ == "__main__":
    main()

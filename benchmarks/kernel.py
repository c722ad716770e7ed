"""Measure the execution kernel and write a table: `make bench`, or `python -m benchmarks.kernel --help`.

Every load prints what it came to, so that a faster wrong kernel is no faster kernel.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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
from queuefront.kernel.commands import client_order_id
from queuefront.kernel.records import Input
from queuefront.venues import EventKind, MockExchange, MockVenue, PlaceOrder, Request, Side, VenueEvent, VenueSnapshot

E = EventKind
START = 1_700_000_000 * 10**9
#: Inputs of one round trip.
TRIP = 7
#: More than this for one input, and a cost grows.
RATIO_MAX = 1.10


def config(slot_count: int = 10) -> Config:
    """Return the configuration that every load uses."""
    spec = Spec(name="TRX", currency="USDT", unit=10**6, taker_rate_ppm=400)
    return Config(
        lease="bench", currency="USDT", cash_scale=12, start_capital=25_000 * 10**12, specs=(spec,), slot_count=slot_count
    )


def inputs(count: int, slot_count: int = 10, after: int = 0) -> Iterator[Input]:
    """Yield round trips over all slots: seven inputs each, two fills in, one out, every order acknowledged.

    Parameters
    ----------
    count : inputs, rounded up to whole trips.
    after : inputs that the kernel has had, whole trips of these.
    """
    seq = after
    trade = after // TRIP
    while seq < after + count:
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
        seq += TRIP


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


class Pieces:
    """Repeated runs of one load in pieces of some inputs: the rate of the best run, and that of the best pieces.

    Other programs only ever make a piece slower, so the best of each over all runs is what the load costs by itself. What
    the load itself does now and then, like a collection of garbage, may fall out of it: then the best run tells.
    """

    def __init__(self) -> None:
        self._best: list[float] = []
        self._inputs = 0
        self.run_s = math.inf

    def run(self, pieces: Iterable[Sequence[Input]], work: Callable[[Sequence[Input]], object]) -> None:
        """Time `work` on every piece, once more."""
        times, self._inputs = [], 0
        for piece in pieces:
            start = time.perf_counter()
            work(piece)
            times.append(time.perf_counter() - start)
            self._inputs += len(piece)
        self.run_s = min(self.run_s, sum(times))
        self._best = [min(pair) for pair in zip(self._best, times, strict=True)] if self._best else times

    @property
    def run_rate(self) -> float:
        """Inputs a second of the best run."""
        return self._inputs / self.run_s

    @property
    def piece_rate(self) -> float:
        """Inputs a second of the best pieces."""
        return self._inputs / sum(self._best)

    def words(self) -> str:
        """Say both."""
        return f"{self.run_rate:,.0f} inputs/s ({self.piece_rate:,.0f})"


def pieces_of(count: int, slot_count: int = 10, after: int = 0, size: int = 35) -> Iterator[list[Input]]:
    """Yield the round trips in pieces, each made just before it is used, as a decoder does."""
    entries = inputs(count, slot_count, after)
    while piece := list(islice(entries, size)):
        yield piece


class _Stepping:
    """A state that moves on with every piece."""

    def __init__(self, state: State) -> None:
        self.state = state

    def __call__(self, piece: Sequence[Input]) -> None:
        state = self.state
        for entry in piece:
            state, _ = step(state, entry)
        self.state = state


def _check(state: State) -> str:
    if wrong := audit(state):
        raise RuntimeError("; ".join(wrong))
    return f"{state.seq:,} inputs, capital {state.book.capital:,}"


def step_lines(count: int, repeats: int, history: int) -> list[Line]:
    """Time `step` alone: its rate, and how it depends on slots and history. Loads take turns, so that luck is shared."""
    starts = {(slots, 0): initial_state(config(slots)) for slots in (10, 100, 1_000)}
    aged = _Stepping(starts[10, 0])
    for after in (history, 4 * history):
        for piece in pieces_of(after - aged.state.seq, after=aged.state.seq):
            aged(piece)
        starts[10, after] = aged.state
    loads = {key: Pieces() for key in starts}
    states: dict[tuple[int, int], State] = {}
    for _ in range(repeats):
        for (slots, after), pieces in loads.items():
            gc.collect()
            stepping = _Stepping(starts[slots, after])
            pieces.run(pieces_of(count, slots, after), stepping)
            states[slots, after] = stepping.state
    first = loads[10, 0]
    lines = [Line("`step` alone, 10 slots", first.words(), "50,000/s", first.run_rate >= 50_000, _check(states[10, 0]))]
    for key, than, words in (
        ((100, 0), (10, 0), "100 slots, time for one input against 10 slots"),
        ((1_000, 0), (10, 0), "1,000 slots, time for one input against 10 slots"),
        (
            (10, history),
            (10, 0),
            f"after {history:,} inputs, time for one input against the start",
        ),
        ((10, 4 * history), (10, history), f"after {4 * history:,} inputs, against {history:,}"),
    ):
        ratio = loads[than].piece_rate / loads[key].piece_rate
        # Until 1,024 orders and 10,000 ids are kept, the maps of them get deeper; then the oldest go.
        is_met = None if key == (10, history) else ratio < RATIO_MAX
        lines.append(Line(f"… {words}", f"{ratio:.2f}×", "1×" if is_met is not None else "", is_met, _check(states[key])))
    return lines


def engine_line(count: int, repeats: int) -> Line:
    """Time encoding, journal in memory and `step` in groups of 16: all that a driver does but the loop."""
    pieces = Pieces()
    for _ in range(repeats):
        engine = Engine(MemoryJournal(config(), is_kept=False), snapshot_every=10**9)
        pieces.run(pieces_of(count, size=16), engine.apply_all)
    return Line("journal in memory and `step`, groups of 16", pieces.words(), "20,000/s", pieces.run_rate >= 20_000,
                _check(engine.state))  # fmt: skip


class _Filling(MockVenue):
    """Fills every order at once, in constant time."""

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        """Carry out one request."""
        if not isinstance(request, PlaceOrder):
            return await super().send(request)
        venue_id = f"v{request.cid}"
        return [
            VenueEvent(ts=0, kind=E.ACK, cid=request.cid, event_id="a", venue_order_id=venue_id, cum_lots=0),
            VenueEvent(
                ts=0, kind=E.FULL_FILL, cid=request.cid, event_id="b", venue_order_id=venue_id, cum_lots=request.lots,
                last_lots=request.lots, last_tick=8_340, fee=5,
            ),
        ]  # fmt: skip


async def _driven(trips: int, repeats: int) -> tuple[float, float, str]:
    """Return inputs a second of the best run and of its median trip through the whole driver, and what it came to."""
    best, middle, check = 0.0, 0.0, ""
    for _ in range(repeats):
        venue = _Filling(MockExchange(unit=10**6))
        async with await open_kernel(venue, journal=":memory:", config=config()) as kernel:
            before, times = kernel.state.seq, []
            for n in range(trips):
                slot_id = n % 10
                start = time.perf_counter()
                await kernel.submit(
                    Enter(
                        ts=kernel.now(), intent_id=f"i{n}", trade_id=f"t{n}", slot_id=slot_id, instrument="TRX",
                        side=Side.LONG, lots=100, reference_tick=8_340,
                    )
                )  # fmt: skip
                await kernel.submit(Exit(ts=kernel.now(), intent_id=f"x{n}", slot_id=slot_id, reference_tick=8_340))
                times.append(time.perf_counter() - start)
            each = (kernel.state.seq - before) / trips
            best, middle = max(best, trips * each / sum(times)), max(middle, each / statistics.median(times))
            check = _check(kernel.state)
    return best, middle, check


def driver_line(trips: int, repeats: int) -> Line:
    """Time the whole driver in asyncio, one trade after another: commands awaited, requests sent, answers applied."""
    best, middle, check = asyncio.run(_driven(trips, repeats))
    return Line("driver in asyncio, journal in memory, one trade after another", f"{best:,.0f} inputs/s ({middle:,.0f})",
                "20,000/s", best >= 20_000, check)  # fmt: skip


class _Stamping(MockVenue):
    """Notes when a request reaches it: by then the effect was released."""

    def __init__(self, exchange: MockExchange) -> None:
        super().__init__(exchange)
        self.reached: list[float] = []

    async def send(self, request):  # type: ignore[no-untyped-def]
        """Carry out one request."""
        self.reached.append(time.perf_counter())
        return await super().send(request)


async def _latencies_us(folder: Path, count: int) -> tuple[list[float], list[float]]:
    """Return (from call to request sent, the disk's own fsync of 4 KiB appended to a file), µs, sorted, taken in turns."""
    exchange = MockExchange(unit=10**6)
    exchange.prices["TRX"] = 8_340
    venue = _Stamping(exchange)
    times, own = [], []
    with (folder / "fsync").open("wb", buffering=0) as file:
        async with await open_kernel(venue, journal=folder / "latency.journal", config=config()) as kernel:
            for n in range(count):
                file.write(b"x" * 4096)
                start = time.perf_counter()
                os.fsync(file.fileno())
                own.append((time.perf_counter() - start) * 1e6)
                command = Enter(
                    ts=kernel.now(), intent_id=f"i{n}", trade_id=f"t{n}", slot_id=0, instrument="TRX", side=Side.LONG,
                    lots=100, reference_tick=8_340,
                )  # fmt: skip
                venue.reached.clear()
                start = time.perf_counter()
                await kernel.submit(command)
                times.append((venue.reached[0] - start) * 1e6)
                await kernel.submit(Exit(ts=kernel.now(), intent_id=f"x{n}", slot_id=0, reference_tick=8_340))
    return sorted(times), sorted(own)


def latency_line(folder: Path, count: int) -> Line:
    """Time one ENTER from the call to the effect released, with the SQLite journal on this disk."""
    entries, own = asyncio.run(_latencies_us(folder, count))
    (p50, p99), (own50, own99) = ((statistics.median(v), v[int(len(v) * 0.99) - 1]) for v in (entries, own))
    return Line(
        "ENTER, call to request sent, SQLite journal, p50 and p99",
        f"{p50:,.0f} µs, {p99:,.0f} µs",
        f"beside fsync: {own50:,.0f} µs, {own99:,.0f} µs",
        None,
        f"{count:,} entries",
    )


def recovery_line(folder: Path, count: int, limit_s: float) -> Line:
    """Time opening, verifying and recovering a long journal through its snapshots: the chain of every row is checked."""
    path = folder / "long.journal"
    engine = Engine(SqliteJournal(path, config()))
    for piece in pieces_of(count, size=512):
        engine.apply_all(piece)
    seq, capital = engine.state.seq, engine.state.book.capital
    engine.close()
    start = time.perf_counter()
    journal = SqliteJournal(path)
    verified_s = time.perf_counter() - start
    again = Engine(journal)
    seconds = time.perf_counter() - start
    if (again.state.seq, again.state.book.capital) != (seq, capital):
        raise RuntimeError("the recovered state is another one")
    check = _check(again.state)
    again.close()
    size_mb = path.stat().st_size / 2**20
    return Line(f"recovery of a journal of {seq:,} inputs ({size_mb:,.0f} MB)",
                f"{seconds:.1f} s, {verified_s:.1f} s of it to verify all rows", f"{limit_s:g} s", seconds < limit_s,
                check)  # fmt: skip


def memory_line(count: int) -> Line:
    """Note the process's memory after each tenth of the inputs; it must not grow after the first."""
    stepping = _Stepping(initial_state(config()))
    part = -(-count // 10 // TRIP) * TRIP
    sizes = []
    for tenth in range(10):
        for piece in pieces_of(part, after=tenth * part):
            stepping(piece)
        gc.collect()
        sizes.append(_resident_mb())
        print(f"{stepping.state.seq:,} inputs: {sizes[-1]:.1f} MB", file=sys.stderr, flush=True)
    text = ", ".join(f"{size:.0f}" for size in sizes) + " MB"
    return Line(f"memory after each {part:,} of {stepping.state.seq:,} inputs", text, "flat", sizes[-1] - sizes[0] < 10,
                _check(stepping.state))  # fmt: skip


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure(scale: int, repeats: int, memory: int) -> str:
    """Run every load, `scale` times smaller than the figures ask, and return the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            *step_lines(21_000 // scale, repeats, 100_002 // scale // TRIP * TRIP),
            engine_line(21_000 // scale, repeats),
            driver_line(max(3_000 // scale, 20), repeats),
            latency_line(folder, max(2_000 // scale, 100)),
            recovery_line(folder, 1_000_000 // scale, 10),
            memory_line(memory),
        ]
    python, load = platform.python_version(), os.getloadavg()[0]
    machine = (
        f"{platform.system()}, {os.cpu_count()} cores; Python {python}; load average at the end {load:.1f}.\n"
        f"Rates are those of the best of {repeats} runs; in brackets, those of the best pieces of all runs, or of the\n"
        "middle trade: what the load costs when nothing interrupts it."
    )
    head = "| load | measured | asked |  | came to |\n| --- | ---: | ---: | --- | --- |"
    return "\n".join([machine, "", head, *(line.markdown() for line in lines)]) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="divide every size but that of --memory by this")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument(
        "--memory", type=int, default=1_000_000, help="inputs of the memory load; the figure is of 10000000"
    )
    parser.add_argument("--only-memory", action="store_true", help="run the memory load alone and print it")
    parser.add_argument("--write", type=Path, help="page with marks to write the table into")
    options = parser.parse_args(arguments)
    if options.only_memory:
        print(memory_line(options.memory).markdown())
        return
    text = measure(options.scale, options.repeats, options.memory)
    print(text)
    if options.write:
        write_between_marks(options.write, text)


if __name__ == "__main__":
    main()

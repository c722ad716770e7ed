"""A session to look at: partial fills, an answer that is lost, a crash, and a recovery that loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from queuefront.core import ConfigError, Instrument
from queuefront.kernel.codec import decode_input
from queuefront.kernel.desk import Desk, cash_decimal, config_of, spec_of
from queuefront.kernel.driver import Kernel, open_kernel
from queuefront.kernel.journal import Row
from queuefront.kernel.outcome import KernelOutcome
from queuefront.kernel.records import Publish
from queuefront.kernel.state import Book, State
from queuefront.venues import MockExchange, MockFault, MockFill, MockVenue, PlaceOrder, VenueEvent

__all__ = ["Chapter", "DemoTable", "ledger_rows", "money_text", "run_demo", "slot_rows"]

SECOND = 10**9
START = 1_700_000_000 * SECOND
TRX = Instrument(venue="mock", symbol="TRXUSDT", tick_size=Decimal("0.00001"), lot_size=Decimal("0.1"), quote="USDT")


@dataclass(frozen=True)
class DemoTable:
    """One table of the demo."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    number_columns: tuple[int, ...] = ()


@dataclass
class Chapter:
    """A part of the session: what was done, and what could be seen afterwards."""

    title: str
    lines: list[str] = field(default_factory=list)
    tables: list[DemoTable] = field(default_factory=list)


def slot_rows(state: State) -> list[tuple[object, ...]]:
    """Return the slots that hold or held a trade, as rows of a table."""
    scale = state.config.cash_scale
    slots = (state.slots[i] for i in range(len(state.slots)))
    return [
        (slot.slot_id, slot.stage.name, slot.health.name, slot.trade_id, slot.size, money_text(slot.realized, scale))
        for slot in slots
        if slot.trade_id
    ]


def ledger_rows(book: Book, scale: int) -> list[tuple[str, object]]:
    """Return the balances of a book, as names and amounts."""
    names = ("capital", "cash", "position", "fees", "funding", "realized")
    return [(f"{name}, {book.currency}", money_text(getattr(book, name), scale)) for name in names]


def money_text(units: int, scale: int) -> str:
    """Return cash units as an exact decimal without trailing zeros."""
    text = format(cash_decimal(units, scale), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class _Session:
    """One journal and one venue, over the life of two processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec = spec_of(TRX, 12, maker_rate="0.0002", taker_rate="0.0005")
        self.exchange = MockExchange(unit=self.spec.unit, fee_ppm=500)
        self.now = START
        self.published: list[Publish] = []

    async def open(self) -> tuple[Kernel, Desk]:
        config = config_of([self.spec], lease="demo", capital=25_000, slot_count=3)
        kernel = await open_kernel(MockVenue(self.exchange), journal=self.path, config=config, clock=lambda: self.now)
        kernel.listen(lambda item: self.published.append(item) if isinstance(item, Publish) else None)
        await kernel.settle()
        return kernel, Desk(kernel, [TRX])

    async def wait(self, kernel: Kernel, seconds: int) -> None:
        """Let time pass, a second at a time, as timers and the venue's stream would."""
        for _ in range(seconds):
            self.now += SECOND
            self.exchange.advance(SECOND)
            kernel.pump()
            kernel.tick()
            await kernel.settle()

    def kill(self, kernel: Kernel) -> None:
        """End the process as SIGKILL would: nothing is said to anybody, the system drops lock and files."""
        kernel._engine.close()  # noqa: SLF001 a crash is not something that a kernel offers
        kernel._is_open = kernel._takes_commands = False  # noqa: SLF001
        self.exchange.release("demo")

    def tables(self, kernel: Kernel, since: int) -> list[DemoTable]:
        state, scale = kernel.state, 12
        entries = [entry for item in self.published[since:] for entry in item.entries]
        ledger = [
            (
                e.seq,
                e.kind.name,
                e.trade_id,
                money_text(e.cash, scale),
                money_text(e.amount, scale),
                money_text(e.capital_after, scale),
            )
            for e in entries
        ]
        kinds = {row.seq: _kind(row) for row in kernel._engine.journal.rows()}  # noqa: SLF001 a view into the journal
        journal = [(p.seq, kinds[p.seq], p.cid, p.diagnostic.name, _moves(p)) for p in self.published[since:]]
        return [
            DemoTable("slots", ("slot", "stage", "health", "trade", "lots", "realized"), slot_rows(state), (0, 4)),
            DemoTable("ledger", ("no.", "kind", "trade", "cash", "capital ±", "capital"), ledger, (0, 3, 4, 5)),
            DemoTable("journal", ("row", "input", "order", "answer", "stages"), journal, (0,)),
        ]


def _kind(row: Row) -> str:
    """Return what an input is: a command, or what the venue said."""
    entry = decode_input(row.payload, f"row {row.seq:,}")
    return entry.kind.name if isinstance(entry, VenueEvent) else type(entry).__name__


def _moves(item: Publish) -> str:
    return ", ".join(f"{t.before.name} → {t.after.name}" for t in item.transitions)


def _line(what: str, outcome: KernelOutcome) -> str:
    detail = f" ({outcome.detail})" if outcome.detail else ""
    return f"{what}: {'accepted' if outcome.accepted else 'not accepted'}, {outcome.diagnostic.name}{detail}"


def run_demo(path: Path) -> Iterator[Chapter]:
    """Yield the chapters of the session; its journal is written to `path`.

    Raises
    ------
    ConfigError
        If there is a journal already: the session begins with an empty one.
    """
    if path.exists():
        raise ConfigError(f"{path}: exists; the demo begins a journal of its own, give another path")
    yield from asyncio.run(_run(path))


async def _run(path: Path) -> list[Chapter]:
    session = _Session(path)
    before = Chapter("1. A trade in partial fills, an order whose answer is lost, and the process dies")
    kernel, desk = await session.open()
    session.exchange.script(entry=[MockFill(3_000, 8_340, SECOND), MockFill(4_000, 8_360, SECOND)])
    outcome = await desk.enter(
        slot=0, trade_id="t1", instrument="TRXUSDT", side="LONG", qty=1_000, limit_price="0.0836",
        reference_price="0.0834", leverage=9, exit_legs=("0.5", "1"),
    )  # fmt: skip
    before.lines.append(_line("ENTER t1, 1,000 TRX at 0.0836, rests", outcome))
    await session.wait(kernel, 2)
    before.lines.append("two partial fills arrive: 300 at 0.0834, 400 at 0.0836")
    before.lines.append(_line("CANCEL of the rest", await desk.cancel(slot=0)))
    session.exchange.script()
    session.exchange.fail(PlaceOrder, MockFault.TIMEOUT_DONE)
    outcome = await desk.enter(
        slot=1, trade_id="t2", instrument="TRXUSDT", side="SHORT", qty=500, limit_price="0.0840", reference_price="0.0834"
    )
    before.lines.append(_line("ENTER t2, 500 TRX at 0.0840, the answer is lost", outcome))
    before.lines.append("the process is killed here")
    before.tables = session.tables(kernel, 0)
    session.kill(kernel)
    return [before, await _recover(session)]


async def _recover(session: _Session) -> Chapter:
    after = Chapter("2. The same journal, a new process: orders are asked about, then trading goes on")
    session.exchange.set_price("TRXUSDT", 8_400)
    session.exchange.pump()
    since = len(session.published)
    session.now += 60 * SECOND
    kernel, desk = await session.open()
    after.lines.append("while nobody listened, t2's order filled; the venue says so when it is asked")
    await session.wait(kernel, 5)
    for slot, count in ((0, 2), (1, 1)):
        for _ in range(count):
            after.lines.append(_line(f"EXIT slot {slot}", await desk.exit(slot=slot, reference_price="0.0840")))
            await session.wait(kernel, 1)
    after.tables = session.tables(kernel, since)
    after.lines += _proof(session, kernel)
    await kernel.close()
    return after


def _proof(session: _Session, kernel: Kernel) -> list[str]:
    """Compare kernel and venue."""
    state, exchange = kernel.state, session.exchange
    cash = state.config.start_capital + int(exchange.cash) - exchange.fees_paid
    sent = [request.cid for request in exchange.requests if isinstance(request, PlaceOrder)]
    held = sum(side.sign * lots for (_, side), lots in exchange.positions.items())
    ours = sum(slot.size * slot.side.sign for slot in kernel.slots)
    checks = [
        (f"orders sent {len(sent)}, each once", len(sent) == len(set(sent))),
        (f"position {ours:,} lots here, {held:,} at the venue", ours == held),
        (
            f"cash {money_text(state.book.cash, 12)} here, {money_text(cash, 12)} by the venue's fills",
            state.book.cash == cash,
        ),
    ]
    return [f"{text}: {'equal' if is_true else 'DIFFERENT'}" for text, is_true in checks]

"""A scripted session that ends at the same place however often it is killed, and the process that runs it.

The venue lives in the parent process, as venues do; the child has the kernel and its journal. `python -m
tests.simulation.session JOURNAL POINT` runs the child: it kills itself (SIGKILL) at its POINT-th write or effect.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from queuefront.kernel import Engine, Enter, Exit, Kernel, Recover, Spec, SqliteJournal, Stage
from queuefront.kernel.records import Cancel, Config
from queuefront.venues import (
    OrderType,
    Request,
    Side,
    VenueEvent,
    VenueSnapshot,
    VenueTimeoutError,
)

SECOND = 10**9
CONFIG = Config(
    lease="kill",
    currency="USDT",
    cash_scale=12,
    start_capital=25_000 * 10**12,
    specs=(Spec(name="TRX", currency="USDT", unit=10**6, taker_rate_ppm=400),),
    slot_count=2,
)

_decoder: msgspec.msgpack.Decoder[VenueEvent | VenueSnapshot] = msgspec.msgpack.Decoder(VenueEvent | VenueSnapshot)


class Points:
    """Counts the places at which a process may die, and dies at the chosen one."""

    def __init__(self, chosen: int) -> None:
        self.left = chosen

    def reach(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalJournal(SqliteJournal):
    """A journal whose process may die before, during and after every write."""

    points: Points

    def begin(self, *, is_durable: bool) -> None:
        self.points.reach()
        super().begin(is_durable=is_durable)

    def append(self, seq: int, payload: bytes) -> None:
        super().append(seq, payload)
        self.points.reach()

    def commit(self) -> None:
        super().commit()
        self.points.reach()


class PipeVenue:
    """The parent's venue, by two pipes: a line of MessagePack in hex each way."""

    backend_kind = "pipe"

    def __init__(self, points: Points) -> None:
        self._points = points

    def lease(self, prefix: str) -> None:
        pass

    def release(self, prefix: str) -> None:
        pass

    def _ask(self, payload: bytes) -> list[bytes]:
        sys.stdout.write(payload.hex() + "\n")
        sys.stdout.flush()
        line = sys.stdin.readline().strip()
        return [bytes.fromhex(part) for part in line.split()]

    async def send(self, request: Request) -> Sequence[VenueEvent] | VenueSnapshot:
        self._points.reach()
        answer = [_decoder.decode(part) for part in self._ask(msgspec.msgpack.encode(request))]
        self._points.reach()
        if len(answer) == 1 and isinstance(answer[0], VenueSnapshot):
            return answer[0]
        if not answer:
            raise VenueTimeoutError("no answer")
        return [event for event in answer if isinstance(event, VenueEvent)]

    def pump(self) -> list[VenueEvent]:
        return [event for event in map(_decoder.decode, self._ask(b"pump")) if isinstance(event, VenueEvent)]

    async def close(self) -> None:
        pass


class Session:
    """Trade until slot 0 made two closed trades of 100 lots and slot 1 tried a limit order and cancelled it."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.now = kernel.state.now + SECOND

    async def run(self) -> None:
        for _ in range(400):
            self.now += SECOND
            self.kernel.pump()
            self.kernel.tick()
            await self.kernel.settle()
            if self.kernel.state.recovering or self.kernel.state.pending:
                continue
            if not await self._go_on():
                return
        raise RuntimeError("the session did not come to its end")

    def _done(self, word: str) -> int:
        """Count the trades of a kind that closed with fills, over all restarts: fees are booked in their name."""
        return sum(item.role == 2 and item.trade_id.startswith(word) and item.is_final and item.cum_lots == 100
                   for item in self.kernel.orders)  # fmt: skip

    async def _go_on(self) -> bool:
        first, second = self.kernel.slots
        if self._done("a") < 2:
            if first.stage is Stage.POSITION_OPEN:
                await self.kernel.submit(
                    Exit(ts=self.now, intent_id=f"x{self.kernel.state.seq}", slot_id=0, reference_tick=8_400)
                )
            elif first.is_free:
                await self.kernel.submit(self._enter(f"a{self.kernel.state.seq}", 0, 0))
            return True
        if second.stage is Stage.ENTRY_WORKING:
            await self.kernel.submit(Cancel(ts=self.now, intent_id=f"c{self.kernel.state.seq}", slot_id=1))
            return True
        canceled = [o for o in self.kernel.orders if o.trade_id.startswith("b") and o.venue_order_id and o.is_final]
        if not canceled and second.is_free:
            await self.kernel.submit(self._enter(f"b{self.kernel.state.seq}", 1, 8_000))
            return True
        return not canceled

    def _enter(self, trade_id: str, slot_id: int, limit_tick: int) -> Enter:
        return Enter(
            ts=self.now, intent_id=f"e{self.kernel.state.seq}", trade_id=trade_id, slot_id=slot_id, instrument="TRX",
            side=Side.LONG, lots=100, reference_tick=8_400, limit_tick=limit_tick,
            order_type=OrderType.LIMIT if limit_tick else OrderType.MARKET,
        )  # fmt: skip


async def main(path: Path, chosen: int) -> None:
    points = Points(chosen)
    journal = MortalJournal(path, CONFIG)
    journal.points = points
    session: Session | None = None
    kernel = Kernel(Engine(journal, snapshot_every=7), PipeVenue(points), clock=lambda: session.now if session else 10**18)
    session = Session(kernel)
    session.now = max(session.now, 10**18)
    kernel._apply_all([Recover(session.now)])
    await kernel.settle()
    await session.run()
    left = points.left
    points.left = 0  # the rest is housekeeping
    await kernel.close()
    sys.stdout.write(f"done {chosen - left}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

"""A real process, really killed, at every journal write and every effect of a session; the end is always the same (S7)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from queuefront.kernel import Engine, SqliteJournal, audit
from queuefront.venues import MockExchange, PlaceOrder, Request, VenueEvent, VenueSnapshot
from tests.tidy.source import ROOT

NEVER = 10**9

_decoder: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)


def run_child(journal: Path, exchange: MockExchange, point: int) -> int | None:
    """Run one process until it ends; return how many points it passed, None if it was killed."""
    command = [sys.executable, "-m", "tests.simulation.session", str(journal), str(point)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin
        assert child.stdout
        passed = None
        for line in child.stdout:
            if line.startswith("done"):
                passed = int(line.split()[1])
                break
            answer = serve(exchange, bytes.fromhex(line.strip()))
            try:
                child.stdin.write(" ".join(msgspec.msgpack.encode(part).hex() for part in answer) + "\n")
                child.stdin.flush()
            except BrokenPipeError:
                break
        try:
            child.stdin.close()
        except BrokenPipeError:
            passed = None
        child.wait(30)
        assert (child.returncode == 0) is (passed is not None), child.returncode
        return passed


def serve(exchange: MockExchange, payload: bytes) -> Sequence[VenueEvent | VenueSnapshot]:
    if payload == b"pump":
        exchange.advance(10**9)
        return exchange.pump()
    answer = exchange.handle(_decoder.decode(payload))
    return [answer] if isinstance(answer, VenueSnapshot) else answer


def final(journal: Path, exchange: MockExchange) -> tuple[object, ...]:
    """What must be the same: money, positions, what was traded, and that nothing is left."""
    opened = SqliteJournal(journal, is_writer=False)
    state = Engine(opened).state
    opened.close()
    assert audit(state) == []
    assert not state.live
    sent = [request.cid for request in exchange.requests if isinstance(request, PlaceOrder)]
    assert len(sent) == len(set(sent))
    assert state.book.cash == state.config.start_capital + exchange.cash - exchange.fees_paid
    filled = sorted(order.cum_lots for order in exchange.orders.values())
    return (
        state.book.capital,
        state.book.fees,
        [(slot.size, slot.health.name) for _, slot in sorted(state.slots.items())],
        dict(exchange.positions),
        [lots for lots in filled if lots],
    )


def market() -> MockExchange:
    exchange = MockExchange(unit=10**6, fee_ppm=400)
    exchange.prices["TRX"] = 8_400
    return exchange


def session(tmp_path: Path, point: int) -> tuple[tuple[object, ...], int]:
    journal, exchange = tmp_path / f"{point}.journal", market()
    passed = run_child(journal, exchange, point)
    if passed is None:
        exchange.pump()  # what was pushed to a dead connection is lost
        passed = run_child(journal, exchange, NEVER)
    assert passed is not None
    return final(journal, exchange), passed


def undisturbed(tmp_path: Path) -> tuple[tuple[object, ...], int]:
    return session(tmp_path, NEVER)


@pytest.mark.slow
def test_a_process_killed_at_every_ninth_point_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    """E26: one order once, whatever happens; all points are in the soak."""
    expected, points = undisturbed(tmp_path)
    assert points > 60
    for point in range(1, points, 9):
        assert session(tmp_path, point)[0] == expected, f"killed at point {point} of {points}"


@pytest.mark.soak
def test_a_process_killed_at_every_point_ends_where_an_undisturbed_one_does(tmp_path: Path) -> None:
    expected, points = undisturbed(tmp_path)
    for point in range(1, points + 1):
        assert session(tmp_path, point)[0] == expected, f"killed at point {point} of {points}"

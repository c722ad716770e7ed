"""What every sink keeps, whatever it is made of: the tests of each call these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from queuefront.store import Mark, Sink

Rows = Callable[[str], list[dict[str, Any]]]


def ledger_row(seq: int, amount: int = 5) -> dict[str, Any]:
    return {
        "ledger_seq": seq, "seq": seq, "ts": seq, "trade_id": "t", "slot_id": None, "event_id": "e", "kind": "FILL",
        "currency": "USDT", "cash": -amount, "position": amount, "fees": 0, "funding": 0, "realized": 0, "amount": 0,
        "capital_before": 0, "capital_after": 0, "quality": "REPORTED",
    }  # fmt: skip


def writes_and_continues(make: Callable[[], Sink], rows: Rows) -> None:
    sink = make()
    assert sink.mark() == Mark(0, "")
    sink.write({"ledger": [ledger_row(1), ledger_row(2)]}, Mark(2, "aa"))
    sink.close()
    sink.close()
    sink = make()
    assert sink.mark() == Mark(2, "aa")
    sink.write({"ledger": [ledger_row(3)]}, Mark(4, "bb"))
    sink.close()
    assert [row["seq"] for row in rows("ledger")] == [1, 2, 3]
    assert make().mark() == Mark(4, "bb")


def refuses_after_close(make: Callable[[], Sink]) -> None:
    sink = make()
    sink.close()
    sink.write({}, Mark(1, "a"))

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from queuefront.kernel import Control, EventFailed, Publish, initial_state
from queuefront.store import TABLES, input_row, rows_of
from queuefront.venues import EventKind, VenueEvent
from tests.kernel_story import UNIT, Story
from tests.unit.store.journals import demo_journal, rows_by_table, simulated

E = EventKind


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    return rows_by_table(demo_journal(tmp_path_factory.mktemp("demo")))


@pytest.fixture(scope="module")
def worlds() -> list[Any]:
    return [row for seed in range(16) for row in simulated(seed)]


class Told(Story):
    """A story whose rows are kept."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def apply(self, entry: Any) -> Any:
        before = self.engine.state
        answer = super().apply(entry)
        for table, row in rows_of(before, entry, self.engine.state, self.effects):
            self.rows.setdefault(table, []).append(row)
        return answer


def test_rows_have_the_columns_of_their_table_and_whole_keys(
    worlds: list[Any], demo: dict[str, list[dict[str, Any]]]
) -> None:
    columns = {table.name: {column.name for column in table.columns} for table in TABLES}
    keys = {table.name: table.key for table in TABLES}
    seen: dict[str, set[str]] = {name: set() for name in columns}
    for table, rows in [*demo.items(), *(item for *_, told in worlds for item in told.items())]:
        for row in rows:
            assert row.keys() <= columns[table], row.keys() - columns[table]
            assert all(row[name] is not None for name in keys[table])
            seen[table] |= {name for name, value in row.items() if value is not None}
    assert seen == columns


def test_a_key_is_used_once_in_a_journal() -> None:
    rows = simulated(3, 300)
    for table in TABLES:
        found = [tuple(row[name] for name in table.key) for *_, told in rows for row in told.get(table.name, ())]
        assert len(found) == len(set(found)) > 0, table.name


def test_every_change_of_an_order_is_a_row_whatever_caused_it(worlds: list[Any]) -> None:
    for before, _, after, effects, rows in worlds:
        if not effects:
            continue
        walked = {order.cid for key, order in after.orders.items() if before.orders.get(key) != order}
        assert {row["cid"] for row in rows.get("order_events", ())} == walked


def test_every_version_of_a_slot_is_a_row(worlds: list[Any]) -> None:
    for before, _, after, _, rows in worlds:
        walked = {i for i, slot in after.slots.items() if slot.version != before.slots[i].version}
        assert {row["slot_id"] for row in rows.get("position_state", ())} == walked


def test_fills_add_up_to_what_orders_filled(worlds: list[Any]) -> None:
    for before, _, after, _, rows in worlds:
        grown = sum(
            order.cum_lots - (before.orders[key].cum_lots if key in before.orders else 0)
            for key, order in after.orders.items()
        )
        fills = [row for row in rows.get("trade_events", ()) if row["origin"] == "KERNEL"]
        assert sum(row["fill_lots"] for row in fills) == grown


def test_capital_of_a_fill_is_that_of_its_own_ledger_entries(worlds: list[Any]) -> None:
    """E20, E22: also where several slots settle in one row, and however late it is written."""
    count = 0
    for *_, rows in worlds:
        ledger = rows.get("ledger", ())
        for fill in rows.get("trade_events", ()):
            if fill["price_quality"] == "PENDING":
                continue
            mine = [e for e in ledger if e["trade_id"] == fill["trade_id"] and e["kind"] in ("FILL", "FEE")]
            assert fill["capital_before"] in {e["capital_before"] for e in mine}
            assert fill["capital_after"] in {e["capital_after"] for e in mine}
            assert fill["capital_after"] - fill["capital_before"] == sum(
                e["amount"] for e in mine if fill["role"] != "LIQUIDATION" or e["slot_id"] in (fill["slot_id"], None)
            )
            count += 1
    assert count > 100


def test_the_ledger_is_every_posting_and_chains(worlds: list[Any], demo: dict[str, list[dict[str, Any]]]) -> None:
    """A5."""
    for *_, effects, rows in worlds:
        entries = [e for effect in effects if isinstance(effect, Publish) for e in effect.entries]
        assert [row["ledger_seq"] for row in rows.get("ledger", ())] == [entry.seq for entry in entries]
    assert all(a["capital_after"] == b["capital_before"] for a, b in pairwise(demo["ledger"]))


def test_profit_recomputes_from_every_row_of_a_closed_trade(worlds: list[Any]) -> None:
    """E23, A13: entry and exit come from sums of their own, exactly; dust and orphans excepted, which give a part away."""
    count = 0
    for _, _, after, _, rows in worlds:
        for row in rows.get("trades", ()):
            slot = after.slots[row["slot_id"]]
            if slot.unsettled or row["close_reason"] == "DUST":
                continue
            spec, sign = after.specs[row["instrument"]], 1 if row["side"] == "LONG" else -1
            difference = Fraction(row["exit_notional"]) - Fraction(row["entry_notional"])
            assert row["pnl_gross"] == round(difference * spec.unit * (-sign if spec.is_inverse else sign))
            assert row["pnl"] == row["pnl_gross"] - row["fees"] + row["funding"]
            count += 1
    assert count > 30


def test_a_fill_that_comes_later_keeps_the_ids_of_its_decision_and_three_quantities() -> None:
    """E21: what was filled, what remains and what was asked for are columns of their own."""
    story = Told()
    story.enter(lots=100, limit_tick=8_340, decision_id="d7", intent_id="i7")
    story.fill(30, 30, 8_330)
    (fill,) = story.rows["trade_events"]
    assert (fill["decision_id"], fill["intent_id"], fill["trade_id"]) == ("d7", "i7", "t1")
    assert (fill["fill_lots"], fill["remaining_lots"], fill["order_lots"], fill["cum_lots"]) == (30, 70, 100, 30)
    assert (fill["fill_notional"], fill["fill_tick"], fill["price_quality"]) == (str(30 * 8_330), 8_330.0, "REPORTED")


def test_what_the_venue_did_by_itself_has_no_ids_and_says_so() -> None:
    """E21a."""
    story = Told()
    story.open(lots=100)
    story.apply_event(E.LIQUIDATION, instrument="TRX", side=story.slot().side, last_lots=140, last_tick=8_000, fee=70)
    mine, beyond = story.rows["trade_events"][1:]
    assert (mine["origin"], mine.get("intent_id"), mine.get("decision_id"), mine["trade_id"]) == ("VENUE", None, None, "t1")
    assert (mine["fill_lots"], mine["pnl_gross"], mine["slot_id"]) == (100, -100 * 340 * UNIT, 0)
    assert (beyond["fill_lots"], beyond["slot_id"], beyond["trade_id"]) == (40, -1, None)
    assert story.rows["trades"][-1]["close_reason"] == "LIQUIDATION"


def test_each_slot_of_a_liquidation_has_its_own_capital_and_profit() -> None:
    """E20: one event settles two slots; each row's pair is that of its own entries."""
    story = Told()
    story.open(lots=100)
    story.enter("t2", 1, lots=50)
    story.fill(50, 50, 8_000, story.active_cid(1), kind=E.FULL_FILL)
    story.apply_event(E.LIQUIDATION, instrument="TRX", side=story.slot().side, last_lots=150, last_tick=7_900, fee=15)
    first, second = story.rows["trade_events"][2:]
    assert (first["trade_id"], first["pnl_gross"], first["fee"]) == ("t1", -100 * 440 * UNIT, 10)
    assert (second["trade_id"], second["pnl_gross"], second["fee"]) == ("t2", -50 * 100 * UNIT, 5)
    assert first["capital_after"] == second["capital_before"] == first["capital_before"] + first["pnl_gross"] - 10
    assert second["capital_after"] == story.engine.state.book.capital


def test_a_fill_without_price_has_its_lots_now_and_its_money_in_the_ledger_when_it_comes() -> None:
    story = Told()
    story.enter(lots=10, limit_tick=8_340)
    cid = story.place.cid
    story.event(E.FULL_FILL, cid, cum_lots=10, event_id="late")
    (fill,) = story.rows["trade_events"]
    assert (fill["fill_lots"], fill["price_quality"], fill["fill_notional"], fill["capital_after"]) == (
        10,
        "PENDING",
        None,
        None,
    )
    story.event(E.FILL_REPORT, cid, cum_lots=10, cum_notional=83_000, cum_fee=5)
    assert len(story.rows["trade_events"]) == 1
    assert story.rows["ledger"][0]["event_id"] == "late"


def test_a_trade_that_is_corrected_after_its_end_is_told_again() -> None:
    story = Told()
    story.open(lots=10)
    assert story.exit() is not None
    cid = story.place.cid
    story.fill(10, 10, 8_400, cid, kind=E.FULL_FILL, fee=None)
    story.event(E.FEE_UPDATE, cid, cum_lots=10, cum_fee=7)
    fees = [row["fees"] for row in story.rows["trades"]]
    assert len(fees) == 2
    assert fees[-1] == 7


def test_starts_controls_settlements_and_alarms_are_events_of_the_system(demo: dict[str, list[dict[str, Any]]]) -> None:
    """F22a: what each component really is stands in the journal at every start."""
    assert [(row["kind"], row["backend_kind"]) for row in demo["system_events"]] == [
        ("START", "journal sqlite, venue mock"),
        ("START", "journal sqlite, venue mock"),
    ]
    story = Told()
    story.apply(Control(ts=1, intent_id="c", author="ann", reason="lunch", entries_enabled=False))
    story.apply_event(E.POSITION_DRIFT, instrument="TRX", reason_text="seen")
    told = [(row["kind"], row["detail"], row["number"]) for row in story.rows["system_events"]]
    assert told == [("CONTROL", "ann: lunch", 0), ("DRIFT", "TRX: seen", 0)]


def test_an_input_says_what_differs_from_saying_nothing() -> None:
    row = input_row(7, VenueEvent(ts=5, kind=E.ACK, cid="t-1", cum_lots=0, slot_id=2))
    assert row == {
        "seq": 7, "ts": 5, "kind": "ACK", "subject": "t-1", "slot_id": 2,
        "fields": json.dumps({"cid": "t-1", "slot_id": 2, "cum_lots": 0}),
    }  # fmt: skip


def test_an_input_whose_step_failed_is_an_input_and_nothing_else() -> None:
    story = Story()
    state = initial_state(story.engine.state.config)
    rows = list(rows_of(state, EventFailed(1, 1, "boom", None), state, ()))
    assert [table for table, _ in rows] == ["inputs"]


def test_what_was_answered_is_a_row_for_every_input(demo: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    assert [row["seq"] for row in demo["outcomes"]] == [row["seq"] for row in demo["inputs"]]
    assert {row["diagnostic"] for row in demo["outcomes"]} == {"OK", "SUBMIT_UNKNOWN"}
    entered = next(row for row in demo["outcomes"] if row["cause_kind"] == "ENTER")
    assert (entered["slot_id"], entered["cid"]) == (0, "demo-3")

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.kernel import account
from tests.unit.cli.runs import qf


def test_the_demo_shows_slots_ledger_and_journal_and_that_nothing_was_lost(tmp_path: Path) -> None:
    ran = qf("kernel", "demo", "--journal", tmp_path / "demo.journal")
    assert (ran.code, ran.err) == (0, "")
    for word in ("slots", "ledger", "journal", "SUBMIT_UNKNOWN", "the process is killed here"):
        assert word in ran.out
    assert ran.out.count(": equal") == 3
    again = qf("kernel", "demo", "--journal", tmp_path / "demo.journal")
    assert again.code == 2
    assert again.err.startswith("qf kernel demo: ")
    assert ["6", "PARTIAL_FILL", "demo-3", "OK"] in [line.split() for line in ran.out.splitlines()]
    where = tmp_path / "no"
    assert qf("kernel", "demo", "--journal", where / "demo.journal").err == (
        f"qf kernel demo: {where / 'demo.journal'}: there is no folder {where}; make it, or give another path\n"
    )


def test_a_simulation_counts_steps_faults_and_checks() -> None:
    ran = qf("kernel", "simulate", "--seeds", "3", "--steps", "20", "--jobs", "1")
    assert (ran.code, ran.err) == (0, "")
    assert ["violations", "0"] in [line.split() for line in ran.out.splitlines()]
    assert "faults" in ran.out
    assert "invariant checks" in ran.out


def test_faults_are_listed_and_unknown_ones_refused() -> None:
    assert "ack-lost" in qf("kernel", "simulate", "--faults", "help").out
    ran = qf("kernel", "simulate", "--faults", "rain")
    assert (ran.code, ran.err.split(";")[0]) == (2, "qf kernel simulate: 'rain' is no fault")


def test_a_violation_comes_with_one_command_that_repeats_it_and_a_short_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    good = account.post_fee

    def bad(draft, slot, event_id, kind, fee, currency, quality):  # type: ignore[no-untyped-def]
        return good(draft, slot, event_id, kind, fee + 1, currency, quality)

    monkeypatch.setattr(account, "post_fee", bad)
    ran = qf("kernel", "simulate", "--seeds", "5", "--steps", "40", "--jobs", "1", "--faults", "none")
    assert ran.code == 1
    assert "repeat: qf kernel simulate --seeds 1 --seed " in ran.out
    assert "shortest: steps " in ran.out

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core.errors import ConfigError
from queuefront.paper import Fault, FaultKind, load_faults, random_faults
from queuefront.paper.faults import FRAME_KINDS, TIMED_KINDS, FaultPlan
from tests.paper_market import SECOND

SCRIPT = """
seed = 7

[[fault]]
kind = "timeout"
target = "POST */order"
probability = 0.5
after_s = 10
until_s = 60.5
count = 3
executes = true

[[fault]]
kind = "drop"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_is_read(tmp_path: Path) -> None:
    faults, seed = load_faults(written(tmp_path, SCRIPT))
    assert seed == 7
    assert faults == [
        Fault(FaultKind.TIMEOUT, "POST */order", 0.5, 10, 60.5, 3, executes=True),
        Fault(FaultKind.DROP),
    ]
    assert load_faults(written(tmp_path, "")) == ([], 0)


FIELDS = "after_s, count, executes, kind, ms, probability, target, until_s"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = ", "not readable as TOML: Invalid value (at end of document)"),
        ("sead = 1", "'sead' is not known; a script of faults has seed and [[fault]]"),
        ("seed = 'x'", "give seed as a whole number and every fault under [[fault]]"),
        ("fault = 3", "give seed as a whole number and every fault under [[fault]]"),
        ("[[fault]]\nkind='drop'\nwhen=3", f"fault 1: 'when' is not known; it has {FIELDS}"),
        ("[[fault]]\nkind='rain'", f"fault 1: the kind 'rain' is not known; choose one of {', '.join(FaultKind)}"),
        ("[[fault]]\nkind='drop'\nms='x'", "fault 1: ms is 'x'; see docs/paper.md for what it may be"),
        ("[[fault]]\nkind='drop'\ncount=true", "fault 1: count is True; see docs/paper.md for what it may be"),
    ],
)
def test_a_script_with_a_mistake_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_faults(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_fault_out_of_range_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        Fault(FaultKind.DROP, probability=1.5)
    assert str(caught.value) == "fault drop: the probability is 1.5; give 0 to 1"
    with pytest.raises(ConfigError) as caught:
        Fault(FaultKind.DROP, count=-1)
    assert str(caught.value) == "fault drop: the count is -1; give 0 or more"


def drops(plan: FaultPlan, count: int = 200) -> list[bool]:
    return [bool(plan.frame("x", 0, is_depth=False)) for _ in range(count)]


def test_chances_follow_the_seed_and_each_line_its_own() -> None:
    line = Fault(FaultKind.DROP, probability=0.3)
    first = drops(FaultPlan([line], 5))
    assert first == drops(FaultPlan([line], 5))
    assert first != drops(FaultPlan([line], 6))
    assert first == drops(FaultPlan([line, Fault(FaultKind.DELAY, target="other", probability=0.9)], 5))
    assert 30 < sum(first) < 90


def test_a_fault_is_shown_in_its_time_at_its_target_and_so_often() -> None:
    plan = FaultPlan([Fault(FaultKind.TIMEOUT, "POST */order", after_s=1, until_s=3, count=2)], start_ns=SECOND)
    shown = [
        bool(plan.call(method, "/fapi/v1/order", SECOND + second * SECOND))
        for method, second in (("POST", 0), ("POST", 1), ("GET", 1), ("POST", 2), ("POST", 2), ("POST", 3))
    ]
    assert shown == [False, True, False, True, False, False]
    assert plan.shown == {FaultKind.TIMEOUT: 2}


def test_calls_and_frames_have_faults_of_their_own() -> None:
    plan = FaultPlan([Fault(kind) for kind in FaultKind])
    assert {f.kind for f in plan.frame("x", 0, is_depth=True)} == FRAME_KINDS
    assert {f.kind for f in plan.frame("x", 0, is_depth=False)} == FRAME_KINDS - {FaultKind.SKIP_DEPTH}
    assert {f.kind for f in plan.call("GET", "/", 0)} == set(FaultKind) - FRAME_KINDS - TIMED_KINDS
    assert plan.expires_listen_keys(0)


def test_faults_are_added_while_it_runs_and_all_end_together() -> None:
    plan = FaultPlan([Fault(FaultKind.DROP)], 5)
    plan.add(Fault(FaultKind.DUPLICATE, probability=0.3))
    draws = [len(plan.frame("x", 0, is_depth=False)) for _ in range(200)]
    assert draws == [
        1 + drop for drop in drops(FaultPlan([Fault(FaultKind.DELAY, "other"), Fault(FaultKind.DROP, probability=0.3)], 5))
    ]
    plan.clear()
    assert plan.frame("x", 0, is_depth=False) == []


def test_the_clock_is_wrong_within_its_time() -> None:
    plan = FaultPlan([Fault(FaultKind.CLOCK_OFFSET, ms=-300, after_s=1, until_s=2), Fault(FaultKind.CLOCK_OFFSET, ms=10)])
    assert [plan.clock_offset_ns(ns) for ns in (0, SECOND, 2 * SECOND)] == [10_000_000, -290_000_000, 10_000_000]


def test_random_faults_show_every_kind() -> None:
    assert {fault.kind for fault in random_faults()} == set(FaultKind)

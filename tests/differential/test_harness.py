"""The harness itself: it fails when it should, and its storms reach the differences that they are for."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from queuefront.core.enums import BUY, CANCELED, GTC, LIMIT, NO_BID_TICK
from tests.differential.compare import comparable_rows, differences
from tests.differential.driver import run
from tests.differential.engines import AT_BID, CLEAR_TRADES, ELAPSE, QUERY, SUBMIT, Action, AssetCase, Case, Engine
from tests.differential.log import Log, float_columns, int_columns
from tests.differential.markets import BOTH, Rows, Synthetic, rows_to_events
from tests.differential.minimise import as_test, minimise
from tests.differential.storms import CONTRACTS, EXCHANGES, FEES, QUEUES, recorded_case, seeded, strange_case, touch_case
from tests.differential.verdict import Judge, Tally

NO_PARTIAL = (QUEUES[0], "no_partial_fill")


def altered(log: Log, name: str, change: float, *, row: int = -1, order: int = 0) -> Log:
    """Return a copy of a log with one column changed after one call."""
    copy = Log(log.ints.copy(), log.floats.copy(), log.assets)
    copy.column(name, order=order)[row] += change
    return copy


@pytest.fixture(scope="module")
def storm() -> Case:
    return strange_case(seeded(5), NO_PARTIAL)


@pytest.fixture(scope="module")
def log(reference: Engine, storm: Case) -> Log:
    return run(reference, storm)


def test_a_log_does_not_differ_from_itself(storm: Case, log: Log) -> None:
    assert differences(storm, log, log) == []


def test_every_integer_that_is_off_by_one_is_found(storm: Case, log: Log) -> None:
    for i, column in enumerate(int_columns(log.assets)):
        other = Log(log.ints.copy(), log.floats, log.assets)
        other.ints[-1, i] += 1
        found = differences(storm, log, other)
        assert [d.column for d in found] == ([] if column.name == "latency_req_ts" else [column])


def test_every_float_that_is_off_by_a_millionth_is_found(storm: Case, log: Log) -> None:
    for i, column in enumerate(float_columns(log.assets)):
        other = Log(log.ints, log.floats.copy(), log.assets)
        other.floats[-1, i] = other.floats[-1, i] * (1 + 1e-6) + 1e-6 if np.isfinite(other.floats[-1, i]) else 0.0
        assert [d.column for d in differences(storm, log, other)] == [column]


@pytest.mark.parametrize(
    ("name", "gross"), [("balance", "trading_value"), ("trading_value", "trading_value"), ("fee", "fee")]
)
def test_a_wrong_sum_is_found_however_little_is_left_of_it(reference: Engine, name: str, gross: str) -> None:
    case = _with(touch_case(seeded(1), NO_PARTIAL, Synthetic(7, 600)), fee=("trading_value", 0.001, 0.001))
    log = run(reference, case)
    change = 2e-9 * log.column(gross)[-1]
    assert change > 0
    assert [d.column.name for d in differences(case, log, altered(log, name, change))] == [name]


def test_rounding_in_the_last_digits_of_money_is_no_difference(storm: Case, log: Log) -> None:
    value = log.column("trading_value")[-1]
    assert value > 0
    assert differences(storm, log, altered(log, "balance", 1e-11 * value)) == []


def test_a_difference_says_after_which_call_and_in_which_column(storm: Case, log: Log) -> None:
    other = altered(log, "status", 1, row=17, order=3)
    status = log.column("status", order=3)[17]
    assert [str(d) for d in differences(storm, log, other)] == [
        f"after call 17: asset 0 order 3 status is {status} in the reference, {status + 1} in ours"
    ]


def test_a_run_that_stops_early_is_a_difference_in_its_last_code(storm: Case, log: Log) -> None:
    short = Log(log.ints[:30].copy(), log.floats[:30], log.assets)
    short.ints[-1, 0] = 14
    assert [d.column.name for d in differences(storm, log, short)] == ["code"]


def test_partial_fills_leave_out_money_but_not_the_orders(reference: Engine) -> None:
    case = strange_case(seeded(2), (QUEUES[3], "partial_fill"))
    log = run(reference, case)
    row = comparable_rows(case, log)[0] - 1
    assert differences(case, log, altered(log, "balance", 5, row=row)) == []
    assert differences(case, log, altered(log, "balance", 5, row=row), money=True)
    assert differences(case, log, altered(log, "leaves_qty", 1, row=row, order=1))


def test_a_comparison_ends_where_the_reference_fills_at_no_price() -> None:
    # B13 D15
    case = Case((AssetCase(Rows(())),), (Action(QUERY),) * 3)
    log = Log(np.zeros((3, 2 + 13 + 12 * 11), np.int64), np.zeros((3, 26 + 12 * 5)), 1)
    log.column("exec_price_tick", order=2)[1:] = NO_BID_TICK
    assert comparable_rows(case, log) == (1, "D15")


def test_a_comparison_ends_where_the_reference_cancels_a_filled_order() -> None:
    # B13 D3
    case = Case((AssetCase(Rows(()), exchange="partial_fill"),), (Action(QUERY),) * 3)
    log = Log(np.zeros((3, 2 + 13 + 12 * 11), np.int64), np.zeros((3, 26 + 12 * 5)), 1)
    log.column("status", order=2)[2:] = CANCELED
    assert comparable_rows(case, log) == (2, "D3")


def test_storms_tell_the_queue_models_apart(reference: Engine, feeds: tuple[str, ...]) -> None:
    told = set()
    for seed in range(8):
        cases = [
            recorded_case(seeded(seed), NO_PARTIAL, feeds),
            touch_case(seeded(seed), NO_PARTIAL, Synthetic(seed, 1200)),
        ]
        for case in cases:
            logs = [run(reference, _with(case, queue=queue)) for queue in QUEUES]
            told |= {(i, j) for i, a in enumerate(logs) for j, b in enumerate(logs) if differences(case, a, b)}
    assert told == {(i, j) for i in range(len(QUEUES)) for j in range(len(QUEUES)) if i != j}


@pytest.mark.parametrize(
    "change",
    [
        {"exchange": EXCHANGES[1]},
        {"latency": ("constant", 11, 10)},
        {"latency": ("constant", 10, 11)},
        {"fee": ("trading_value", 0.001, 0.002)},
        {"contract": ("inverse", 1.0)},
        {"last_trades_capacity": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_storms_tell_the_other_models_apart(reference: Engine, change: dict[str, object]) -> None:
    found = []
    for seed in range(6):
        case = _with(
            strange_case(seeded(seed), NO_PARTIAL), latency=("constant", 10, 10), fee=FEES[0], contract=CONTRACTS[0]
        )
        found += differences(case, run(reference, case), run(reference, _with(case, **change)))
    assert found


def test_a_failing_case_is_cut_down_to_what_fails() -> None:
    case = Case(
        (AssetCase(Synthetic(1, 100)),),
        (Action(ELAPSE, duration=5), *(Action(QUERY),) * 20, Action(CLEAR_TRADES), *(Action(QUERY),) * 20),
    )
    wanted = case.assets[0].market.events()["px"][40]

    def fails(candidate: Case) -> bool:
        return Action(CLEAR_TRADES) in candidate.actions and wanted in candidate.assets[0].market.events()["px"]

    small = minimise(case, fails)
    assert small.actions == (Action(ELAPSE, duration=5), Action(CLEAR_TRADES))
    assert [row[3] for row in small.assets[0].market.rows] == [wanted]


def test_a_failing_case_is_printed_as_a_test_that_fails_alike(reference: Engine) -> None:
    broken = dataclasses.replace(reference)
    judge = Judge(reference, broken, Tally())
    rows = Rows.of(Synthetic(4, 30).events())
    market = Rows((*rows.rows, (BOTH | 3, 10_000_000, 10_000_000, float("nan"), 0.0)))
    submit = Action(SUBMIT, id=3, side=BUY, at=AT_BID, offset=-1, lots=2, tif=GTC, type=LIMIT)
    case = Case((AssetCase(market, queue=("power_prob", 2.0)),), (Action(ELAPSE, duration=100), submit))
    scope: dict[str, object] = {}
    exec("from tests.differential.engines import *\nfrom tests.differential.markets import *\n" + as_test(case), scope)
    seen = []
    scope["test_the_reduced_case"](type("Recorder", (), {"check": lambda self, c: seen.append(c)})())
    assert repr(seen) == repr([case])
    assert judge.check(seen[0]) == 2


def test_random_markets_are_ordered_in_each_half() -> None:
    for seed in range(30):
        events = Synthetic(seed, 300).events()
        for flag, name in ((1 << 31, "exch_ts"), (1 << 30, "local_ts")):
            times = events[name][events["ev"] & np.uint64(flag) > 0]
            assert (np.diff(times) >= 0).all()


def test_random_markets_hold_what_they_are_made_for() -> None:
    events = np.concatenate([Synthetic(seed, 1200).events() for seed in range(30)])
    kinds = set((events["ev"] & np.uint64(0xFF)).tolist())
    assert {1, 2, 3, 4, 5, 100, 104} <= kinds
    halves = set((events["ev"] >> np.uint64(30)).tolist())
    assert halves == {0, 1, 2, 3}
    is_trade = events["ev"] & np.uint64(0xFF) == 2
    assert set((events["ev"][is_trade] >> np.uint64(28) & np.uint64(3)).tolist()) == {0, 1, 2}
    assert (events["qty"][is_trade] == 0).any()


def test_rows_survive_being_written_out() -> None:
    events = Synthetic(2, 60).events()
    again = rows_to_events(Rows.of(events).rows)
    assert all(np.array_equal(events[name], again[name], equal_nan=True) for name in ("px", "qty"))
    assert all((events[name] == again[name]).all() for name in ("ev", "exch_ts", "local_ts"))


def _with(case: Case, **changes: object) -> Case:
    return dataclasses.replace(case, assets=tuple(dataclasses.replace(asset, **changes) for asset in case.assets))

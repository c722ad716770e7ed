from __future__ import annotations

import numpy as np
import pytest

from queuefront.core.dtypes import ORDER_CHANGE
from queuefront.core.enums import BUY, CANCELED, EXPIRED, FILLED, GTC, IOC, NEW, PARTIALLY_FILLED, REJECTED, SELL
from queuefront.core.errors import InvariantError
from queuefront.paper import MatchingModels
from queuefront.paper.matching import MatchingEngine, OrderTooLargeError, Report
from queuefront.sim import NoPartialFill, ValueFees
from tests.paper_market import SECOND, T0, USDM, story


def engine(models: MatchingModels | None = None) -> MatchingEngine:
    made = MatchingEngine(story(USDM), models or MatchingModels(), ValueFees("0.0002", "0.0005"))
    made._backtest.elapse(0)
    return made


def brief(reports: list[Report]) -> list[tuple[int, int, bool]]:
    return [(report.status, report.exec_lots, report.is_maker) for report in reports]


def test_an_order_rests_fills_and_is_canceled_at_the_tapes_times() -> None:
    made = engine()
    assert brief(made.place(1, BUY, 200, 20, GTC)) == [(NEW, 0, False)]
    filled = made.advance(T0 + 8 * SECOND)
    assert (brief(filled), filled[0].ts) == ([(PARTIALLY_FILLED, 16, True)], T0 + 7 * SECOND)
    assert filled[0].is_execution
    assert brief(made.cancel(1))[-1][0] == CANCELED
    assert (made.position, made.fee) == (4.0, pytest.approx(4 * 100 * 0.0002))


def test_a_taking_order_reports_every_level_and_what_expires() -> None:
    assert brief(engine().place(1, BUY, 203, 200, IOC)) == [
        (PARTIALLY_FILLED, 40, False), (PARTIALLY_FILLED, 80, False), (EXPIRED, 0, False),
    ]  # fmt: skip


def test_a_market_order_takes_the_best_price() -> None:
    report = engine().place(1, SELL, None, 4, GTC)[0]
    assert (report.status, report.exec_tick, report.exec_lots) == (FILLED, 200, 4)


def test_a_reduced_order_keeps_its_place() -> None:
    made = engine()
    made.place(1, BUY, 200, 20, GTC)
    made.advance(T0 + 6 * SECOND)
    made.reduce(1, 200, 8)
    assert brief(made.advance(T0 + 8 * SECOND)) == [(FILLED, 8, True)]


def test_other_models_fill_by_other_rules() -> None:
    made = engine(MatchingModels(exchange=NoPartialFill()))
    assert brief(made.place(1, BUY, 202, 200, GTC)) == [(FILLED, 200, False)]


def test_an_order_that_does_not_fit_is_not_sent() -> None:
    with pytest.raises(OrderTooLargeError) as caught:
        engine().place(1, BUY, 10**9, 10**9, GTC)
    assert str(caught.value) == "250,000,000.0 at 500,000,000.0"


def test_a_refusal_of_the_engine_is_a_bug_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without latencies a cancel and a fill cannot cross; a refusal is shown here by hand."""
    change = np.zeros(1, ORDER_CHANGE)
    change["order_id"], change["req"], change["is_response"] = 2, REJECTED, 1
    monkeypatch.setattr("queuefront.paper.matching.read_changes", lambda handle, since: change)
    with pytest.raises(InvariantError) as caught:
        engine().advance(T0 + 1)
    assert str(caught.value) == "the matching engine does not know order 2; please report this"

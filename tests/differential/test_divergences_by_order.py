"""Where ours differs from the reference on purpose in markets by order: each test shows both behaviours."""

from __future__ import annotations

import pytest

from queuefront.core import DataError
from queuefront.core.enums import (
    ADD_ORDER_EVENT,
    BUY,
    BUY_EVENT,
    CANCEL_ORDER_EVENT,
    FILL_EVENT,
    FILLED,
    NEW,
    OK,
    ORDER_ID_EXISTS,
    ORDER_NOT_FOUND,
    SELL_EVENT,
)
from tests.differential.driver import run
from tests.differential.engines import MODIFY_ANYWAY, Action, AssetCase, Case, Engine
from tests.differential.markets import BOTH, Rows
from tests.differential.stories import LATE, by_engine, elapse, submit

pytestmark = pytest.mark.slow

Row = tuple[int, int, int, float, float, int]


def order_row(kind: int, order_id: int, tick: float, lots: float, ts: int = 100, *, side: int = BUY_EVENT) -> Row:
    return (kind | side | BOTH, ts, ts, float(tick), float(lots), order_id)


BOOK = (order_row(ADD_ORDER_EVENT, 1, 99, 5), order_row(ADD_ORDER_EVENT, 2, 102, 5, side=SELL_EVENT))


def order_story(*actions: Action, rows: tuple[Row, ...] = ()) -> Case:
    """Make a case on a market of one bid at 99 and one ask at 102, with latencies of 10."""
    late = order_row(ADD_ORDER_EVENT, 99, 1, 1, LATE)
    return Case((AssetCase(Rows((*BOOK, *rows, late)), queue=("l3_fifo",)),), actions)


def test_d26_a_modify_to_a_price_that_crosses_is_tested_like_a_new_order(engine: Engine) -> None:
    move = Action(MODIFY_ANYWAY, id=1, offset=102, lots=3)
    order = run(engine, order_story(elapse(0), submit(1, BUY, 98, 3), elapse(50), move, elapse(50))).order(-1, 1)
    assert order.status == by_engine(engine, reference=NEW, ours=FILLED)
    assert order.leaves_qty == by_engine(engine, reference=3, ours=0)


def test_d53_an_order_that_improves_the_best_is_filled_before_what_fills_at_it(engine: Engine) -> None:
    rows = (order_row(FILL_EVENT, 1, 99, 2, 200),)
    log = run(engine, order_story(elapse(0), submit(1, BUY, 100, 3), elapse(50), elapse(100), rows=rows))
    assert log.order(2, 1).status == NEW
    assert log.order(-1, 1).status == by_engine(engine, reference=NEW, ours=FILLED)


@pytest.mark.parametrize(
    ("row", "code", "message"),
    [
        (order_row(CANCEL_ORDER_EVENT, 9, 99, 1, 200), ORDER_NOT_FOUND, "row 2: "),
        (order_row(ADD_ORDER_EVENT, 1, 99, 1, 200), ORDER_ID_EXISTS, "row 2: "),
    ],
)
def test_d25_a_gap_is_found_when_the_tape_is_made(engine: Engine, row: Row, code: int, message: str) -> None:
    """The reference finds it when it comes to the row, and again at every call after that (D24)."""
    case = order_story(elapse(0), elapse(50), elapse(100), elapse(100), rows=(row,))
    if engine.is_reference:
        assert run(engine, case).codes == [OK, OK, code, code]
    else:
        with pytest.raises(DataError, match=message):
            run(engine, case)

"""Orders by cumulative quantities: whatever the order and number of messages, the end is the same."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.venues.binance.orders import News, OrderTracker, Report, of_row, of_update
from queuefront.venues.binance.schemas import OrderRow, decode
from queuefront.venues.binance.stream_schemas import OrderUpdate, decode_user_message
from queuefront.venues.binance.vocabulary import Execution, Status

D = Decimal
S = 10**9


def report(
    status: str, cum: str, *, trade: int | None = None, last: str | None = None, ms: int = 0, **fields: Any
) -> Report:
    return Report(
        cid=fields.pop("cid", "mine"),
        order_id="7",
        symbol="X",
        status=Status(status) if status in Status.__members__ else Status.UNSUPPORTED,
        status_text=status,
        exch_ms=ms,
        cum_qty=D(cum),
        trade_id=trade,
        last_qty=D(last) if last else None,
        **fields,
    )


NEW = report("NEW", "0", ms=1, order_qty=D(10), price=D(5))
FIRST = report("PARTIALLY_FILLED", "4", trade=1, last="4", ms=2)
SECOND = report("PARTIALLY_FILLED", "7", trade=2, last="3", ms=3)
THIRD = report("FILLED", "10", trade=3, last="3", ms=4)


def after(*reports: Report) -> tuple[OrderTracker, list[News]]:
    tracker = OrderTracker()
    return tracker, [tracker.apply(r, 0) for r in reports]


def test_the_plain_story() -> None:
    tracker, news = after(NEW, FIRST, SECOND, THIRD)
    assert news == [News.FIRST, News.FILL, News.FILL, News.FILL]
    order = tracker.get("mine")
    assert order is not None
    assert (order.status, order.cum_qty, order.order_qty, order.price, order.is_closed) == (Status.FILLED, 10, 10, 5, True)
    assert tracker.live == []
    assert tracker.last_fill_id("X") == 3
    assert tracker.fill_symbols == ["X"]


def test_a_message_that_came_twice_says_nothing() -> None:
    assert after(NEW, NEW, FIRST, FIRST, THIRD, THIRD)[1] == [
        News.FIRST, News.SAME, News.FILL, News.SAME, News.FILL, News.SAME,
    ]  # fmt: skip


def test_a_later_total_first_then_the_fill_that_it_contains() -> None:
    tracker, news = after(NEW, SECOND, FIRST)
    assert news[1:] == [News.FILL, News.LATE_FILL]
    assert tracker.get("mine").cum_qty == 7  # type: ignore[union-attr]


def test_an_answer_that_was_overtaken_is_old() -> None:
    assert after(NEW, FIRST, report("NEW", "0", ms=1))[1][-1] is News.OLD


@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("last", ["CANCELED", "EXPIRED", "REJECTED", "EXPIRED_IN_MATCH"])
def test_a_closed_order_stays_closed(market: str, last: str) -> None:
    """H8.8 (futures), H8.9 (spot): final updates are idempotent and win, in any order."""
    final = report(last, "4", ms=5)
    for reports in ((NEW, FIRST, final, NEW, FIRST, final), (NEW, final, FIRST, NEW), (final, FIRST, final, NEW)):
        order = after(*reports)[0].get("mine")
        assert order is not None
        assert (order.status, order.cum_qty) == (Status(last), 4)


@pytest.mark.parametrize("ms", [4, 5, 6])
def test_no_time_of_a_message_opens_a_closed_order_again(ms: int) -> None:
    """H8.8, H8.9: an answer that was overtaken may carry any time, even none of its own."""
    tracker, news = after(NEW, report("CANCELED", "4", ms=5), report("PARTIALLY_FILLED", "4", ms=ms))
    assert news[-1] is News.OLD
    assert tracker.get("mine").status is Status.CANCELED  # type: ignore[union-attr]


def test_a_fill_that_was_on_its_way_when_the_order_closed_is_kept() -> None:
    tracker, news = after(NEW, report("CANCELED", "4", ms=5), SECOND)
    order = tracker.get("mine")
    assert order is not None
    assert (news[-1], order.status, order.cum_qty) == (News.FILL, Status.CANCELED, 7)


def test_a_word_that_nobody_knows_changes_nothing_and_is_told() -> None:
    """H8.17, H8.18."""
    tracker, news = after(NEW, report("HALF_DONE", "3"), report("NEW", "0", execution=Execution.UNSUPPORTED))
    assert news[1:] == [News.UNKNOWN_WORD] * 2
    assert tracker.get("mine").status is Status.NEW  # type: ignore[union-attr]


def test_a_modified_price_or_quantity_is_news_and_an_older_one_is_not() -> None:
    tracker, news = after(NEW, report("NEW", "0", ms=9, order_qty=D(12), price=D(6)), NEW)
    assert news[1:] == [News.CHANGED, News.OLD]
    assert tracker.get("mine").order_qty == 12  # type: ignore[union-attr]


def test_removing_what_is_not_there_is_counted_and_does_nothing() -> None:
    """H8.8, H8.9."""
    tracker, _ = after(NEW)
    assert tracker.remove("mine")
    assert not tracker.remove("mine")
    assert not tracker.remove("never")
    assert (tracker.counts.removed_absent, len(tracker)) == (2, 0)


def test_ten_thousand_finished_orders_leave_no_more_than_the_bound() -> None:
    """H2.8: by number and by age; a late update within the time still matches."""
    tracker = OrderTracker(kept_ns=60 * S, kept_max=100)
    for i in range(10_000):
        tracker.apply(report("NEW", "0", cid=f"o{i}"), 0)
        tracker.apply(report("FILLED", "1", cid=f"o{i}", trade=i + 1, last="1"), 0)
    assert len(tracker) == 100
    assert tracker.apply(report("FILLED", "1", cid="o9999", trade=10_000, last="1"), 59 * S) is News.SAME
    tracker.apply(report("NEW", "0", cid="live"), 60 * S)
    assert len(tracker) == 1
    assert tracker.counts.purged == 10_000
    assert len(tracker._fills) <= 1


@settings(max_examples=150)
@given(st.data())
def test_whatever_the_order_and_number_of_messages_the_end_is_the_same(data: st.DataObject) -> None:
    """H8.8, H8.9: fills, totals, and each fill delivered once."""
    story = [NEW, FIRST, SECOND, data.draw(st.sampled_from([THIRD, report("CANCELED", "7", ms=4)]))]
    answers = [report("PARTIALLY_FILLED", "4", ms=2), report("PARTIALLY_FILLED", "7", ms=3), NEW]
    messages = story + data.draw(st.lists(st.sampled_from(story + answers), max_size=8))
    shuffled = data.draw(st.permutations(messages))
    tracker, news = after(*shuffled)
    order = tracker.get("mine")
    assert order is not None
    assert (order.status, order.cum_qty) == (story[-1].status, story[-1].cum_qty)
    delivered = [m.trade_id for m, n in zip(shuffled, news, strict=True) if n in (News.FILL, News.LATE_FILL)]
    assert sorted(t for t in delivered if t) == sorted({m.trade_id for m in story if m.trade_id})


def test_a_push_and_an_answer_are_read_alike() -> None:
    push = decode_user_message(
        json.dumps(
            {
                "e": "executionReport",
                "s": "X",
                "c": "cancel-1",
                "C": "mine",
                "S": "SELL",
                "o": "LIMIT",
                "f": "GTC",
                "q": "10",
                "p": "5",
                "x": "CANCELED",
                "X": "CANCELED",
                "r": "NONE",
                "i": 7,
                "l": "0",
                "z": "4",
                "L": "0",
                "n": "0",
                "N": None,
                "T": 99,
                "t": -1,
                "Z": "20",
            }
        ).encode()
    )
    assert isinstance(push, OrderUpdate)
    row = decode(
        OrderRow,
        b'{"symbol":"X","orderId":7,"clientOrderId":"cancel-1","origClientOrderId":"mine","side":"SELL","origQty":"10",'
        b'"price":"5","status":"CANCELED","executedQty":"4","cummulativeQuoteQty":"20","type":"LIMIT","timeInForce":"GTC",'
        b'"transactTime":99}',
        "x",
    )
    for name in ("cid", "order_id", "symbol", "status", "exch_ms", "cum_qty", "is_buy", "order_qty", "price", "cum_quote"):
        assert getattr(of_update(push), name) == getattr(of_row(row), name), name
    assert not of_update(push).is_fill
    assert (of_row(row).kind, of_row(row).tif) == (of_update(push).kind, of_update(push).tif)


def test_an_old_spot_order_whose_quote_is_unknown_says_none() -> None:
    assert of_row(decode(OrderRow, b'{"symbol":"X","cummulativeQuoteQty":"-1"}', "x")).cum_quote is None

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from queuefront.venues import (
    CancelOrder,
    EventKind,
    FetchSnapshot,
    Liquidity,
    MockExchange,
    MockFault,
    MockFill,
    ModifyOrder,
    OrderType,
    PlaceOrder,
    QueryFills,
    QueryOrder,
    Role,
    Side,
    TimeInForce,
    VenueDownError,
    VenueEvent,
    VenueSnapshot,
    VenueTimeoutError,
)

E = EventKind
SECOND = 10**9


def order(cid: str = "k-1", **changes: Any) -> PlaceOrder:
    base = PlaceOrder(
        cid=cid, trade_id="t", slot_id=0, role=Role.ENTRY, instrument="TRX", is_buy=True, lots=10,
        order_type=OrderType.LIMIT, price_tick=100,
        time_in_force=TimeInForce.GTC, reduce_only=False, post_only=False, leverage=3,
    )  # fmt: skip
    return replace(base, **changes)


def kinds(answer: object) -> list[EventKind]:
    return [event.kind for event in answer]  # type: ignore[attr-defined]


def test_by_default_an_order_rests_until_the_script_or_the_market_says_otherwise() -> None:
    """E24 and E25: resting far from the market, visible, without fills."""
    venue = MockExchange()
    assert kinds(venue.handle(order())) == [E.ACK]
    venue.advance(3_600 * SECOND)
    assert venue.pump() == []
    snapshot = venue.handle(FetchSnapshot("look"))
    assert isinstance(snapshot, VenueSnapshot)
    assert [listed.cid for listed in snapshot.open_orders] == ["k-1"]
    venue.set_price("TRX", 101)
    assert venue.pump() == []
    venue.set_price("TRX", 100)
    assert kinds(venue.pump()) == [E.FULL_FILL]


def test_fills_come_by_script_at_their_times_with_price_fee_and_liquidity() -> None:
    """E24a and E24b"""
    venue = MockExchange(fee_ppm=400, unit=1_000)
    venue.script(entry=[MockFill(3, 100, 2 * SECOND), MockFill(4, 101, SECOND, fee=7, liquidity=Liquidity.MAKER)])
    venue.handle(order())
    venue.advance(SECOND)
    assert venue.pump() == []
    venue.advance(2 * SECOND)
    first, second = venue.pump()
    assert (first.cum_lots, first.last_tick, first.fee) == (3, 100, 3 * 100 * 1_000 * 400 // 10**6)
    assert (second.cum_lots, second.fee, second.liquidity) == (7, 7, Liquidity.MAKER)
    assert venue.positions == {("TRX", Side.LONG): 7}


def test_entries_and_exits_have_scripts_of_their_own() -> None:
    """E24c"""
    venue = MockExchange()
    venue.script(entry=[MockFill(3, 100)], exit=[MockFill(1, 105), MockFill(2, 106)])
    assert kinds(venue.handle(order())) == [E.ACK, E.PARTIAL_FILL]
    closing = order("k-2", role=Role.EXIT, is_buy=False, lots=3, reduce_only=True)
    assert kinds(venue.handle(closing)) == [E.ACK, E.PARTIAL_FILL, E.FULL_FILL]
    assert venue.positions[("TRX", Side.LONG)] == 0


@pytest.mark.parametrize(
    ("fault", "is_live"),
    [
        (MockFault.TIMEOUT_DONE, True),
        (MockFault.TIMEOUT_NOT_DONE, False),
        (MockFault.SERVER_ERROR, False),
        (MockFault.SERVER_ERROR_DONE, True),
        (MockFault.EMPTY, True),
        (MockFault.EMPTY_NOT_DONE, False),
        (MockFault.REJECT, False),
        (MockFault.RATE_LIMITED, False),
        (MockFault.UNKNOWN_STATUS, True),
    ],
)
def test_a_submit_goes_wrong_with_the_order_live_or_not(fault: MockFault, is_live: bool) -> None:
    venue = MockExchange()
    venue.fail(PlaceOrder, fault)
    try:
        answer = kinds(venue.handle(order()))
    except (VenueTimeoutError, VenueDownError):
        answer = []
    assert ("k-1" in venue.orders) is is_live
    expected = {MockFault.REJECT: [E.ORDER_REJECT], MockFault.RATE_LIMITED: [E.ORDER_REJECT]}
    assert answer == expected.get(fault, [E.UNSUPPORTED] if fault is MockFault.UNKNOWN_STATUS else [])


def test_cancels_are_confirmed_refused_unknown_too_late_and_already_gone() -> None:
    """E25a"""
    venue = MockExchange()
    request = CancelOrder("k-1", "", "TRX")
    venue.handle(order())
    for fault, code in (
        (MockFault.REJECT, "REFUSED"),
        (MockFault.NOT_FOUND, "NOT_FOUND"),
        (MockFault.SAYS_DONE, "SUCCESS"),
    ):
        venue.fail(CancelOrder, fault)
        (event,) = venue.handle(request)  # type: ignore[misc]
        assert (event.kind, event.reason_code) == (E.CANCEL_UNKNOWN, code)
    venue.fill("k-1", MockFill(4, 100))
    (event,) = venue.handle(request)  # type: ignore[misc]
    assert (event.kind, event.cum_lots) == (E.CANCEL_ACK, 4)
    (event,) = venue.handle(request)  # type: ignore[misc]
    assert (event.kind, event.reason_code) == (E.CANCEL_UNKNOWN, "NOT_FOUND")


def test_leverage_is_set_when_it_differs_and_kept_when_the_order_fails() -> None:
    """E15 and F18: the receipt names the step, and the leverage that stands."""
    venue = MockExchange()
    venue.handle(order("k-1"))
    venue.handle(order("k-2"))
    assert venue.leverage_calls == 1
    venue.fail(PlaceOrder, MockFault.LEVERAGE, MockFault.REJECT)
    venue.handle(order("k-3", leverage=9))
    venue.handle(order("k-4"))
    assert [(receipt.step, receipt.leverage) for receipt in venue.receipts[-2:]] == [("LEVERAGE", 3), ("ORDER", 3)]


def test_a_client_order_id_is_taken_once() -> None:
    venue = MockExchange()
    venue.handle(order())
    (event,) = venue.handle(order())  # type: ignore[misc]
    assert (event.kind, event.reason_code) == (E.SUBMIT_UNKNOWN, "DUPLICATE_CLIENT_ID")
    assert len(venue.orders) == 1


def test_requests_are_counted_and_limited_in_virtual_time() -> None:
    """A10"""
    venue = MockExchange(rate_limit=(2, SECOND))
    query = QueryOrder("k-1", "", "TRX")
    assert [kinds(venue.handle(query))[0] for _ in range(3)] == [E.ORDER_MISSED, E.ORDER_MISSED, E.QUERY_FAILED]
    venue.advance(2 * SECOND)
    assert kinds(venue.handle(query)) == [E.ORDER_MISSED]
    assert len(venue.requests) == 4


def test_queries_tell_the_truth_and_fees_when_they_are_known() -> None:
    venue = MockExchange()
    venue.handle(order())
    venue.fill("k-1", MockFill(4, 100, fee=9, late_fee_ns=SECOND, has_price=False))
    (push,) = venue.pump()
    assert (push.last_tick, push.fee) == (None, None)
    (report,) = venue.handle(QueryFills("k-1", "", "TRX"))  # type: ignore[misc]
    assert (report.cum_notional, report.cum_fee) == (400, None)
    venue.advance(SECOND)
    (late,) = venue.pump()
    assert (late.kind, late.cum_fee) == (E.FEE_UPDATE, 9)
    (state,) = venue.handle(QueryOrder("k-1", "", "TRX"))  # type: ignore[misc]
    assert (state.kind, state.cum_lots, state.order_lots) == (E.PARTIAL_FILL, 4, 10)


def test_orders_are_changed_expire_and_are_cancelled_elsewhere() -> None:
    venue = MockExchange()
    venue.handle(order())
    assert kinds(venue.handle(ModifyOrder("k-1", "", "TRX", 12, 99))) == [E.MODIFY_ACK]
    venue.expire("k-1")
    assert kinds(venue.pump()) == [E.EXPIRED]
    assert kinds(venue.handle(ModifyOrder("k-1", "", "TRX", 12, 98))) == [E.MODIFY_REJECT]
    assert kinds(venue.handle(ModifyOrder("none", "", "TRX", 12, 98))) == [E.MODIFY_REJECT]
    venue.handle(order("k-2"))
    venue.cancel_elsewhere("k-2")
    assert kinds(venue.handle(QueryOrder("k-2", "", "TRX"))) == [E.CANCEL_ACK]


def test_what_takes_at_once_takes_and_what_may_not_take_expires() -> None:
    venue = MockExchange()
    venue.prices["TRX"] = 99
    assert kinds(venue.handle(order("k-1"))) == [E.ACK, E.FULL_FILL]
    assert kinds(venue.handle(order("k-2", time_in_force=TimeInForce.GTX))) == [E.ACK, E.EXPIRED]
    assert kinds(venue.handle(order("k-3", time_in_force=TimeInForce.IOC, price_tick=90))) == [E.ACK, E.EXPIRED]
    assert kinds(venue.handle(order("k-4", order_type=OrderType.MARKET, price_tick=0))) == [E.ACK, E.FULL_FILL]


def test_what_the_owner_trades_by_hand_moves_position_and_cash_and_is_not_told() -> None:
    venue = MockExchange(unit=10, inverse=["COIN"])
    venue.trade_by_hand("TRX", Side.SHORT, 3, 100)
    assert (venue.positions["TRX", Side.SHORT], venue.cash, venue.pump()) == (3, 3_000, [])
    venue.trade_by_hand("COIN", Side.LONG, 3, 100)
    assert venue.cash == 3_000 + Fraction(3 * 10, 100)


def test_an_inverse_fill_moves_cash_by_its_worth_and_is_reported_with_all_others() -> None:
    venue = MockExchange(unit=10**6, fee_ppm=500, inverse=["TRX"])
    venue.handle(order("k-1", lots=10))
    venue.fill("k-1", MockFill(4, 8_000))
    venue.fill("k-1", MockFill(6, 10_000))
    (report,) = venue.handle(QueryFills("k-1", "", "TRX"))
    assert isinstance(report, VenueEvent)
    assert (report.cum_fills, report.cum_notional, report.cum_fee) == (((4, 8_000), (6, 10_000)), None, 0)
    assert venue.cash == Fraction(4 * 10**6, 8_000) + Fraction(6 * 10**6, 10_000)


def test_a_reduce_only_order_closes_what_there_is_and_no_more() -> None:
    venue = MockExchange()
    closing = order("k-2", role=Role.EXIT, is_buy=False, lots=3, reduce_only=True)
    assert kinds(venue.handle(closing)) == [E.ORDER_REJECT]
    venue.drift("TRX", Side.LONG, 3)
    assert kinds(venue.handle(closing)) == [E.ACK]
    assert kinds(venue.handle(replace(closing, cid="k-3"))) == [E.ORDER_REJECT]
    venue.liquidate("TRX", Side.LONG, 3, 90, fee=2)
    assert kinds(venue.pump()) == [E.LIQUIDATION, E.EXPIRED]
    assert venue.pay_funding("TRX", -5).amount == -5

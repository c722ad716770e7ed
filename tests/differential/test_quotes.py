"""Both engines over recorded and random markets without orders, and with one quote pair that waits at the touch."""

from __future__ import annotations

import dataclasses

import pytest

from tests.differential.compare import differences
from tests.differential.driver import run
from tests.differential.engines import (
    AT_BID,
    CLEAR_TRADES,
    ELAPSE,
    GOTO_END,
    SUBMIT_FREE,
    WAIT_FEED,
    Action,
    AssetCase,
    Case,
)
from tests.differential.markets import BOTH, Feed, Rows, Synthetic
from tests.differential.storms import FEEDS, QUEUES, seeded, touch_case
from tests.differential.verdict import Judge

pytestmark = pytest.mark.slow

NO_ORDERS = (
    Action(ELAPSE, duration=0),
    *(Action(WAIT_FEED, duration=5_000_000) for _ in range(100)),
    *(Action(ELAPSE, duration=100_000_000) for _ in range(100)),
    Action(CLEAR_TRADES),
    *(Action(WAIT_FEED, flag=1, duration=20) for _ in range(100)),
    Action(GOTO_END),
    Action(ELAPSE, duration=10),
)

MODELS = [(queue, exchange) for queue in QUEUES for exchange in ("no_partial_fill", "partial_fill")]


@pytest.mark.parametrize("seed", range(10))
def test_the_books_of_a_strange_market_agree_after_every_row(judge: Judge, seed: int) -> None:
    actions = (Action(ELAPSE, duration=0), *(Action(WAIT_FEED, duration=1000) for _ in range(500)))
    assert judge.check(Case((AssetCase(Synthetic(100 + seed, 300)),), actions)) == 501


@pytest.mark.parametrize("name", list(FEEDS))
def test_the_books_of_a_recorded_market_agree_without_orders(judge: Judge, feeds: tuple[str, ...], name: str) -> None:
    if name not in feeds:
        pytest.skip(f"the feed {name} is not here")
    asset = AssetCase(Feed(name, 200_000), *FEEDS[name][0], last_trades_capacity=10)
    assert judge.check(Case((asset,), NO_ORDERS)) == len(NO_ORDERS)


def test_a_market_in_parts_is_the_market_in_one(judge: Judge) -> None:
    # B1.6. No receipt is later than a part is long: the reference would report an error and then hang (B13 D31).
    events = Synthetic(8, 900).events()
    events["local_ts"] = events["exch_ts"]
    whole = touch_case(seeded(3), MODELS[0], Rows.of(events))
    in_parts = dataclasses.replace(whole.assets[0], splits=(300, 600))
    judge.check(whole)
    judge.check(dataclasses.replace(whole, assets=(in_parts,)))
    assert not differences(
        whole, run(judge.subject, whole), run(judge.subject, dataclasses.replace(whole, assets=(in_parts,)))
    )


def test_an_initial_snapshot_is_in_both_books_before_the_first_event(judge: Judge) -> None:
    # B2.8: halves, times and lots of the rows do not matter.
    bid, ask = 1 << 29, 1 << 28
    snapshot = tuple((bid | 4, 5, 5, 990.0 - i, 3.0 + i) for i in range(6)) + tuple(
        (ask, 0, 0, 995.0 + i, 4.0) for i in range(6)
    )
    asset = AssetCase(Rows.of(Synthetic(12, 200).events()), snapshot=snapshot)
    actions = (Action(ELAPSE, duration=0), Action(SUBMIT_FREE, 0, 1, 1, AT_BID, 0, 2), *NO_ORDERS[1:])
    judge.check(Case((asset,), actions))


@pytest.mark.parametrize("offset", [5, 1_000])
def test_a_latency_offset_shifts_what_we_see(judge: Judge, offset: int) -> None:
    asset = dataclasses.replace(touch_case(seeded(4), MODELS[0], Synthetic(21, 300)).assets[0], latency_offset=offset)
    judge.check(dataclasses.replace(touch_case(seeded(4), MODELS[0], Synthetic(21, 300)), assets=(asset,)))


def test_feeds_that_arrive_before_they_were_sent_are_taken_as_they_are(judge: Judge) -> None:
    # B1.4: feed latency is nothing but local_ts - exch_ts.
    events = Synthetic(31, 300).events()
    events["local_ts"] -= 700
    case = touch_case(seeded(5), MODELS[0], Rows.of(events))
    judge.check(case)
    assert (events["ev"] & BOTH).any()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model[0][0]}-{model[1]}")
def test_quotes_that_wait_at_the_touch_of_a_strange_market_fill_alike(judge: Judge, model) -> None:
    for seed in range(4):
        grid = ((1.0, 1.0), (0.5, 0.25))[seed % 2]
        judge.check(touch_case(seeded(seed), model, Synthetic(200 + seed, 1200, *grid), grid=grid))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model[0][0]}-{model[1]}")
def test_quotes_that_wait_at_the_touch_of_a_recorded_market_fill_alike(judge: Judge, feeds: tuple[str, ...], model) -> None:
    for name in feeds:
        judge.check(touch_case(seeded(9), model, Feed(name, 100_000), grid=FEEDS[name][0]))

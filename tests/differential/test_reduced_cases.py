"""Cases that once differed, cut down; each says what went wrong."""

from __future__ import annotations

import pytest

from queuefront.core.enums import BUY
from tests.differential.engines import WAIT_FEED, Action, AssetCase, Case
from tests.differential.markets import Rows
from tests.differential.stories import BOOK, LATE, bid, elapse, sold, submit
from tests.differential.verdict import Judge

pytestmark = pytest.mark.slow


def test_an_answer_that_ends_a_wait_does_not_let_its_exchange_run_ahead(judge: Judge) -> None:
    # With two assets, a wait for feeds and answers ran the answering exchange on to the next feed: requests sent right
    # after the wait arrived late, behind market rows that came after them.
    first = AssetCase(Rows((*BOOK, sold(97, 9, 190), bid(1, 1, LATE))))
    second = AssetCase(Rows((*BOOK, bid(1, 1, LATE))))
    actions = (
        elapse(0),
        submit(1, BUY, 96, 1),
        Action(WAIT_FEED, flag=1, duration=100),
        submit(2, BUY, 97, 1),
        *(elapse(10),) * 12,
    )
    judge.check(Case((first, second), actions))

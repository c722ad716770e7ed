"""Three outcomes, which cannot be taken for one another."""

from __future__ import annotations

import pytest

from queuefront.venues.errors import VenueError
from queuefront.venues.outcome import Done, Reason, Refused, Unknown, value_of


def test_outcomes_are_told_apart_by_type() -> None:
    outcomes: list[object] = [Done(b"{}"), Refused(Reason.FILTER, -1013, "x"), Unknown("silence")]
    assert [type(o) for o in outcomes] == [Done, Refused, Unknown]


def test_a_refusal_tells_nothing_that_the_venue_did_not_say() -> None:
    assert Refused(Reason.OTHER) == Refused(Reason.OTHER, code=0, text="", retry_after_ns=0, body=b"")


def test_what_was_not_done_has_no_value() -> None:
    assert value_of(Done(3), "x") == 3
    with pytest.raises(VenueError, match=r"^fees: refused, auth: 10003 no$"):
        value_of(Refused(Reason.AUTH, 10003, "no"), "fees")
    with pytest.raises(VenueError, match=r"^fees: no answer: cut$"):
        value_of(Unknown("cut"), "fees")

"""Three outcomes, which cannot be taken for one another."""

from __future__ import annotations

from queuefront.venues.outcome import Done, Reason, Refused, Unknown


def test_outcomes_are_told_apart_by_type() -> None:
    outcomes: list[object] = [Done(b"{}"), Refused(Reason.FILTER, -1013, "x"), Unknown("silence")]
    assert [type(o) for o in outcomes] == [Done, Refused, Unknown]


def test_a_refusal_tells_nothing_that_the_venue_did_not_say() -> None:
    assert Refused(Reason.OTHER) == Refused(Reason.OTHER, code=0, text="", retry_after_ns=0, body=b"")

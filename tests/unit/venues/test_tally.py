"""Texts from outside are counted in bounded memory."""

from __future__ import annotations

from queuefront.venues.tally import Tally


def test_texts_are_cut_and_counted() -> None:
    tally = Tally()
    for _ in range(3):
        tally.note("x" * 500)
    tally.note("y")
    assert tally == {"x" * 80: 3, "y": 1}


def test_however_many_texts_there_are_few_are_kept_and_none_is_lost() -> None:
    tally = Tally()
    for i in range(10_000):
        tally.note(f"message {i}")
    tally.note("message 0")
    assert len(tally) == 201
    assert (tally["message 0"], tally["others"]) == (2, 9_800)
    assert sum(tally.values()) == 10_001

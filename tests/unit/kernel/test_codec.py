from __future__ import annotations

import msgspec
import pytest

from queuefront.kernel import JournalError, Tick, initial_state
from queuefront.kernel.codec import (
    decode_config,
    decode_input,
    decode_state,
    encode_config,
    encode_input,
    encode_state,
)
from queuefront.venues import EventKind, VenueEvent
from tests.kernel_story import Story, config


def test_inputs_round_trip_through_the_same_bytes() -> None:
    """E5 and F30: binary, one encoding and one decoding."""
    story = Story()
    story.open(lots=10)
    story.snapshot(10)
    for row in story.engine.journal.rows():
        entry = decode_input(row.payload, "row")
        assert encode_input(entry) == row.payload


def test_fields_more_or_fewer_are_refused_when_decoding() -> None:
    """F14a: newer and older payloads."""
    newer = msgspec.msgpack.encode(["tick", 5, "more"])
    older = msgspec.msgpack.encode(["event", 5])
    for payload in (newer, older, b"", b"\xc1"):
        with pytest.raises(JournalError, match=r"^row 7: not an input of this version: "):
            decode_input(payload, "row 7")


def test_an_unknown_kind_of_event_decodes_as_such_and_never_raises() -> None:
    payload = encode_input(VenueEvent(ts=1, kind=EventKind.ACK)).replace(bytes([EventKind.ACK]), bytes([77]), 1)
    event = decode_input(payload, "row")
    assert isinstance(event, VenueEvent)
    assert event.kind is EventKind.UNSUPPORTED


def test_a_number_beyond_64_bits_is_refused_before_it_is_written() -> None:
    with pytest.raises(JournalError, match="holds a number beyond 64 bits"):
        encode_input(Tick(2**70))


def test_a_state_round_trips_with_sums_beyond_64_bits() -> None:
    story = Story(start_capital=10**30)
    story.open(lots=10)
    story.enter("t2", 1)
    story.event(EventKind.SUBMIT_UNKNOWN, story.active_cid(1))
    saved = encode_state(story.engine.state)
    again = decode_state(saved, story.engine.state.config, "snapshot")
    assert encode_state(again) == saved
    assert again.book == story.engine.state.book


def test_a_damaged_state_and_configuration_are_refused() -> None:
    with pytest.raises(JournalError, match=r"^snapshot 5: not a state of this version"):
        decode_state(b"{}", config(), "snapshot 5")
    with pytest.raises(JournalError, match=r"^here: not a configuration of this version"):
        decode_config(b"[]", "here")
    assert decode_config(encode_config(config()), "here") == config()
    assert initial_state(config()).seq == 0

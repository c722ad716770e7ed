"""Whatever bytes a DBN file holds, the converter makes events or says what is wrong, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queuefront.core import QueuefrontError
from queuefront.feed import convert_databento
from tests.unit.feed.sources.dbn_files import DAY, header, message

HEAD = header()
WHOLE = HEAD + b"".join(message("ACMRTF"[i % 6], "BAN"[i % 3], order_id=i, recv_ts=DAY + 300 + i) for i in range(12))
OPTIONS = {"tick_size": "0.25", "lot_size": 1}


def outcome(path: Path, data: bytes, **options: object) -> str:
    path.write_bytes(data)
    try:
        return f"{len(convert_databento(path, **OPTIONS, **options).events)} events"
    except QueuefrontError as e:
        return str(e)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_changed_bytes_give_events_or_a_message(tmp_path, changes, is_skipping):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    assert outcome(tmp_path / "a.dbn", bytes(data), on_bad="skip" if is_skipping else "stop")


@pytest.mark.parametrize("keep", range(0, len(WHOLE), 7))
def test_a_file_cut_at_any_byte_is_refused(tmp_path, keep):
    found = outcome(tmp_path / "a.dbn", WHOLE[:keep])
    is_whole = keep >= len(HEAD) and (keep - len(HEAD)) % 56 == 0
    assert is_whole == found.endswith(" events")


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_rubbish_behind_a_header_gives_events_or_a_message(tmp_path, data):
    assert outcome(tmp_path / "a.dbn", HEAD + data, on_bad="skip")

"""Lines of messages become rows and an account that adds up, whatever decodes them."""

from __future__ import annotations

import gzip

import msgspec
import numpy as np
import pytest

from queuefront.core import ConfigError, DataFormatError, TruncatedFileError
from queuefront.core.enums import BUY_EVENT, TRADE_EVENT
from queuefront.feed.conversion import Gap, Refusal, VenueMessage
from queuefront.feed.row_spill import Rows, RowSpill
from queuefront.feed.sources import message_lines
from queuefront.feed.sources.message_lines import Message, MessageWalk, finish, symbol_of_file
from queuefront.feed.sources.message_scan import Scan
from queuefront.feed.sources.refusal import LineRefused
from queuefront.feed.sources.tail import Ending
from tests.unit.feed.sources.raw_files import START, raw_file

EV = TRADE_EVENT | BUY_EVENT


class Fake:
    """Messages say themselves what they are; their names are not told, so that none is scanned."""

    scan = Scan(pytest.fail)

    def decode(self, message: bytes) -> Message:
        said = msgspec.json.decode(message)
        if said.get("bad"):
            raise LineRefused("`x` is bad", "x", 1)
        runs = [(EV, START, [(px, 1.0)]) for px in said.get("px", [])]
        return Message(
            said.get("kind", "trade"),
            said.get("s", "XYZ"),
            runs,
            "ids",
            said.get("id", -1),
            said.get("whole", False),
            said.get("answer", ""),
        )


def walk_of(path, symbol=None, on_bad="stop", gap_threshold_ns=10**10):
    walk = MessageWalk("fake", path, symbol=symbol, on_bad=on_bad, gap_threshold_ns=gap_threshold_ns)
    return walk, Rows([walk.run(Fake(), None)]).whole()


def spill_of(rows):
    spill = RowSpill()
    spill.take(rows)
    return spill


def test_rows_stand_in_file_order_with_the_receipt_time_of_their_line(tmp_path, monkeypatch):
    monkeypatch.setattr(message_lines, "_ROWS_HELD", 2)
    walk, rows = walk_of(raw_file(tmp_path, {"px": [1.0, 2.0]}, {}, {"px": [3.0]}))
    assert rows["px"].tolist() == [1.0, 2.0, 3.0]
    assert (rows["local_ts"] - START).tolist() == [5_000_000, 5_000_000, 7_000_000]
    assert (walk.account.lines, walk.account.lines_by_kind, walk.symbol) == (3, {"trade": 3}, "XYZ")


def test_progress_ends_at_the_size_of_the_file(tmp_path):
    path, told = raw_file(tmp_path, {"px": [1.0]}), []
    MessageWalk("fake", path, symbol=None, on_bad="stop", gap_threshold_ns=1).run(Fake(), lambda *x: told.append(x))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_line_that_cannot_be_used_stops_and_is_quoted(tmp_path):
    path = raw_file(tmp_path, {}, {"bad": 1})
    with pytest.raises(DataFormatError) as caught:
        walk_of(path)
    assert str(caught.value) == (
        f"{path}: line 2, field x: `x` is bad; mend the line or convert with on_bad='skip'; "
        "it reads '1700000000006000000 {\"bad\":1}'"
    )


@pytest.mark.parametrize("body", ["{", "\xff", "[" * 5_000, '{"kind": 1}x', ""])
def test_lines_that_are_no_messages_are_refused_and_counted(tmp_path, body):
    walk, rows = walk_of(raw_file(tmp_path, {"px": [1.0]}, body, {"px": [2.0]}), on_bad="skip")
    assert rows["px"].tolist() == [1.0, 2.0]
    assert walk.account.refused_count == 1
    assert walk.account.lines_by_kind == {"refused": 1, "trade": 2}


@pytest.mark.parametrize("line", [b"170000000000000000 {}", b"1700000000000000000{}", b"x" * 30, b"9999999999999999999 {}"])
def test_lines_without_a_receipt_time_are_refused(tmp_path, line):
    path = tmp_path / "a.txt"
    path.write_bytes(line + b"\n\n")
    walk, _ = walk_of(path, on_bad="skip")
    assert walk.account.lines_by_kind == {"blank": 1, "refused": 1}
    assert walk.account.refused[0].text == line.decode()


def test_no_more_than_a_thousand_refusals_gaps_and_answers_are_listed(tmp_path):
    messages = [{"bad": 1}, {"answer": "no", "id": 5}, {"id": 1}] * 1_001
    walk, _ = walk_of(raw_file(tmp_path, *messages), on_bad="skip")
    account = walk.account
    assert (account.refused_count, len(account.refused)) == (1_001, 1_000)
    assert (account.venue_message_count, len(account.venue_messages)) == (1_001, 1_000)
    assert (account.gap_count, len(account.gaps)) == (2_001, 1_000)
    assert account.refused[0] == Refusal(1, "`x` is bad", '1700000000005000000 {"bad":1}')
    assert account.venue_messages[0] == VenueMessage(2, "no")


def test_a_second_symbol_is_refused_unless_one_is_chosen(tmp_path):
    path = raw_file(tmp_path, {"px": [1.0]}, {"s": "ABC", "px": [2.0]})
    with pytest.raises(DataFormatError, match="the message is of ABC, the file of XYZ; give symbol to choose one"):
        walk_of(path)
    walk, rows = walk_of(path, symbol="ABC")
    assert (rows["px"].tolist(), walk.symbol) == ([2.0], "ABC")
    assert walk.account.lines_by_kind == {"of other symbols": 1, "trade": 1}


def test_holes_in_update_ids_and_silence_are_gaps(tmp_path):
    ids = [{"id": 5}, {"id": 6}, {"id": 9}, {"id": 9}, {}, {"id": 1, "whole": True}, {"id": 4, "whole": True}]
    walk, _ = walk_of(raw_file(tmp_path, *ids), gap_threshold_ns=999_999)
    gaps = walk.account.gaps
    local_ts = START + 5_000_000
    assert [g for g in gaps if g.kind == "sequence"] == [
        Gap("sequence", 3, local_ts + 2_000_000, 2),
        Gap("sequence", 4, local_ts + 3_000_000, -1),
        Gap("sequence", 7, local_ts + 6_000_000, 2),
    ]
    assert [(g.line, g.size) for g in gaps if g.kind == "time"] == [(i, 1_000_000) for i in range(2, 8)]


def test_a_file_that_is_cut_off_stops_or_is_noted(tmp_path):
    path = raw_file(tmp_path, *({"px": [float(i)]} for i in range(1, 500)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TruncatedFileError):
        walk_of(path)
    walk, rows = walk_of(path, on_bad="skip")
    assert 0 < len(rows) < 500
    assert "cut off" in walk.account.damage


def test_an_unknown_word_for_bad_lines_is_refused(tmp_path):
    with pytest.raises(ConfigError) as caught:
        walk_of(raw_file(tmp_path, {}), on_bad="maybe")
    assert str(caught.value) == "on_bad is 'maybe'; choose 'stop' or 'skip'"


def test_the_end_infers_the_grid_and_names_the_instrument(tmp_path):
    walk, rows = walk_of(raw_file(tmp_path, {"px": [1.5, 2.0]}))
    conversion = finish(spill_of(rows), walk.account, "", Ending(lot_size="1", multiplier=10))
    instrument = conversion.instrument
    assert (instrument.venue, instrument.symbol, str(instrument.tick_size)) == ("fake", "XYZ", "0.5")
    assert int(instrument.multiplier) == 10
    assert conversion.account.events_by_kind == {"trade": 2}


def test_rows_can_be_made_anew_once_the_grid_is_known(tmp_path):
    walk, rows = walk_of(raw_file(tmp_path, {"px": [1.5, 2.0]}))
    seen = []
    conversion = finish(
        spill_of(rows), walk.account, "S", Ending(), lambda r, *grid: (seen.append(grid), Rows.of(r.whole()[:1]))[1]
    )
    assert [str(x) for x in seen[0]] == ["0.5", "1"]
    assert conversion.account.events_by_kind == {"trade": 1}
    assert conversion.account.tick_size_inferred_from == 2


def test_the_file_is_hashed_and_measured(tmp_path):
    path = tmp_path / "btc-usd_20240101.txt"
    path.write_bytes(gzip.decompress(raw_file(tmp_path, {"px": [1.0]}).read_bytes()))
    walk, rows = walk_of(path)
    assert walk.account.input_bytes == path.stat().st_size
    assert len(walk.account.sha256) == 64
    assert rows.dtype.names is not None
    assert symbol_of_file(str(path)) == "BTC-USD"
    assert symbol_of_file("feed.gz") == "UNKNOWN"
    assert not np.isnan(rows["px"]).any()

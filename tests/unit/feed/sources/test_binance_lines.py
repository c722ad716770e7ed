"""Files larger than a block: rows, line numbers and gaps carry over from one to the next."""

from __future__ import annotations

import json

import pytest

from queuefront.feed.sources import raw
from queuefront.feed.sources.binance_convert import convert_lines

START = 1_700_000_000_000


def line(i: int, *, is_bad: bool = False) -> bytes:
    event = {"e": "depthUpdate", "E": START + i, "T": START + i, "s": "BTCUSDT", "U": i + 1, "u": i + 2, "pu": i + 1}
    event |= {"b": [["NaN" if is_bad else str(100 + i % 7), "1"]], "a": [["200", str(i)]]}
    message = json.dumps({"stream": "s", "data": event}, separators=(",", ":")).encode()
    return b"%019d %s\n" % ((START + i) * 10**6 + 500, message)


@pytest.mark.parametrize("block_bytes", [64, 1000, 2**20])
def test_the_size_of_a_block_changes_nothing(tmp_path, monkeypatch, block_bytes):
    path = tmp_path / "a.raw"
    bad = {17, 400, 401}
    path.write_bytes(b"".join(line(i, is_bad=i in bad) for i in range(500)))
    whole = convert_lines("binance-usdm", path, on_bad="skip")
    monkeypatch.setattr(raw, "_BLOCK_BYTES", block_bytes)
    parts = convert_lines("binance-usdm", path, on_bad="skip")
    assert parts.events.tobytes() == whole.events.tobytes()
    assert parts.account.to_dict() == whole.account.to_dict()
    assert [r.line for r in parts.account.refused] == [18, 401, 402]
    assert [(g.line, g.size) for g in parts.account.gaps] == [(19, 1), (403, 2)]


def test_room_is_made_where_the_first_guess_falls_short(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", 2000)
    path = tmp_path / "a.raw"
    event = {
        "e": "trade",
        "E": START,
        "T": START,
        "s": "BTCUSDT",
        "p": "1",
        "q": "1",
        "X": "MARKET",
        "m": True,
        "x": "-" * 500,
    }
    sparse = b"%019d %s\n" % (START * 10**6, json.dumps({"data": event}).encode())
    path.write_bytes(sparse * 20 + b"".join(line(i) for i in range(2000)))
    conversion = convert_lines("binance-usdm", path)
    assert conversion.account.events_by_kind == {"depth": 4000, "trade": 20}


def test_progress_never_goes_back(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", 1000)
    ticks = iter(range(10_000))
    monkeypatch.setattr("queuefront.feed.sources.binance_lines.monotonic_s", lambda: float(next(ticks)))
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(line(i) for i in range(100)))
    calls: list[tuple[int, int]] = []
    convert_lines("binance-usdm", path, progress=lambda done, total: calls.append((done, total)))
    assert len(calls) > 10
    assert calls == sorted(calls)


def test_progress_is_told_at_most_twenty_times_a_second(tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "_BLOCK_BYTES", 1000)
    ticks = iter(range(10_000))
    monkeypatch.setattr("queuefront.feed.sources.binance_lines.monotonic_s", lambda: next(ticks) / 1000)
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(line(i) for i in range(600)))
    calls: list[tuple[int, int]] = []
    convert_lines("binance-usdm", path, progress=lambda done, total: calls.append((done, total)))
    assert len(calls) <= 5

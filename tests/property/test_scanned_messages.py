"""The compiled scanners of messages change nothing: with them and without, a file gives the same rows, account, or error.

H6, J3: what the scanners decline goes to the decoder of the venue, which alone says what a message means and what is
refused.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queuefront.core import QueuefrontError
from queuefront.core.dtypes import EVENT
from queuefront.feed import Conversion, convert_bybit, convert_bybit_history, convert_hyperliquid, convert_mexc
from queuefront.feed.conversion import LIST_MAX
from queuefront.feed.sources import packed, raw
from queuefront.feed.sources.bybit_history import _BookFile, _BookScan
from queuefront.feed.sources.message_lines import MessageWalk
from queuefront.feed.sources.message_scan import LineScan
from tests.differential.recorded import feed
from tests.property.test_scanned_sources import BYTES, NUMBERS, mutated
from tests.unit.feed.sources import test_bybit, test_hyperliquid, test_mexc
from tests.unit.feed.sources.raw_files import START, START_MS, raw_line

GRID: dict[str, Any] = {"tick_size": "0.000001", "lot_size": "0.000001"}
Convert = Callable[..., Conversion]


class Source(NamedTuple):
    """A venue's converter, and messages of all kinds that it takes; scanned ones first."""

    name: str
    convert: Convert
    messages: list[Any]
    is_raw: bool = True

    def text(self, messages: list[Any]) -> bytes:
        """Return the file that holds these messages."""
        if self.is_raw:
            return b"".join(raw_line(message, START + i * 1_000_000) for i, message in enumerate(messages))
        return b"".join(raw_line(message, 0)[20:] for message in messages)


BYBIT = [
    test_bybit.SNAPSHOT,
    test_bybit.book([["99", "0"]], [["101", "1.5"], ["102.25", "4"]], u=2),
    test_bybit.book([], [["103", "0.00000001"]], u=3, ms=1),
    test_bybit.trades(test_bybit.trade("100.25", "7.5", ms=7), test_bybit.trade("100.5", "1", "Sell", ms=8)),
    test_bybit.trades(test_bybit.trade("100.25", "7.5", BT=True)),
    test_bybit.book([["98", "1"]], [], u=7, ms=5),  # a hole in the ids
    test_bybit.book([["100", "1"]], [["101", "2"]], u=9, level=1, kind="snapshot"),
    {"topic": "tickers.XYZUSDT", "type": "delta", "data": {"a": [1, {"b": None}], "c": "d"}, "cs": 12, "ts": START_MS},
    test_bybit.book([["98", "1"]], [["99", "2"]], u=1, kind="snapshot"),  # ids begin anew
    {"topic": "kline", "ts": START_MS},
    test_bybit.trades(test_bybit.trade(side="Nobody"), test_bybit.trade()),
    test_bybit.trades(),
    {"success": True, "op": "subscribe", "ret_msg": ""},
    {"success": False, "op": "subscribe", "ret_msg": "no such topic"},
    {**test_bybit.book([["98", "1"]], [["99", "2"]]), "data": {"s": "ABC", "b": [], "a": [["1", "2"]], "u": 4}},
]
HYPERLIQUID = [
    test_hyperliquid.FIRST,
    test_hyperliquid.book([("100", "5"), ("99.5", "1")], [("102", "1")], ms=1),
    test_hyperliquid.book([("99.5", "2"), ("98", "1")], [("101", "1"), ("102", "1")], ms=2),
    test_hyperliquid.trades(test_hyperliquid.trade("100.25", "7.5", ms=77), test_hyperliquid.trade("1", "2")),
    test_hyperliquid.book([], [("103", "1")], ms=3),
    test_hyperliquid.book([("98", "1")], [], ms=4),
    test_hyperliquid.book([("97", "1"), ("98", "1")], [("104", "1"), ("103", "0")], ms=5),  # not sorted
    {"channel": "bbo", "data": {"coin": "BTC", "time": START_MS, "bbo": [None, {"px": "1", "sz": "2", "n": 1}]}},
    {"channel": "pong", "data": 1.5},
    {"channel": "error", "data": "no such coin"},
]
MEXC = [
    test_mexc.limit(bids=test_mexc.levels(("99", "1")), asks=test_mexc.levels(("101", "2"), ("102", "3.25"))),
    test_mexc.change("2", bids=test_mexc.levels(("99", "0"))),
    test_mexc.change("3", asks=test_mexc.levels(("99.5", "1"), ("103", "2")), bids=test_mexc.levels(("98", "4"))),
    test_mexc.deals({"p": "100.25", "v": "7.5", "S": 1, "t": START_MS + 77}, {"p": "100", "v": "1", "S": 2, "t": START_MS}),
    test_mexc.change("7", asks=test_mexc.levels(("99.5", "0"))),
    test_mexc.deals({"p": "100.25", "v": "7.5", "S": 3, "t": START_MS + 77}),
    {"c": "spot@public.bookTicker.v3.api@XYZUSDT", "d": {"a": "1", "b": [2.5]}, "s": "XYZUSDT", "t": START_MS},
    {"id": 0, "code": 0, "msg": "ok"},
    {"id": 0, "code": 5, "msg": "no such channel"},
]
HISTORY = [
    test_bybit.book([["100", "1"], ["99", "2"]], [["101", "3"]], kind="snapshot", level=500),
    test_bybit.book([["99", "0"]], [["101", "1.5"], ["102.25", "4"]], u=2, level=500),
    test_bybit.book([["99", "3"]], [], u=5, ms=11_000, level=500),
    test_bybit.book([["98", "3"], ["99", "0.1"]], [["104", "3"], ["103", "3"]], u=1, kind="snapshot", level=500),
    {**test_bybit.book([], [], u=2, level=500), "type": "other"},
    {"type": "delta", "ts": START_MS, "data": {"s": "XYZUSDT", "a": [["7", "8"]]}},
    {"type": "delta", "ts": START_MS, "data": {"s": "ABC", "a": [["7", "8"]], "b": [], "u": 4}},
]
SOURCES = [
    Source("bybit", convert_bybit, BYBIT),
    Source("bybit", lambda path, **named: convert_bybit(path, level=50, symbol="XYZUSDT", **named), BYBIT),
    Source("hyperliquid", convert_hyperliquid, HYPERLIQUID),
    Source(
        "hyperliquid",
        lambda path, **named: convert_hyperliquid(path, levels_max=2, delete_out_of_book=False, **named),
        HYPERLIQUID,
    ),
    Source("mexc", convert_mexc, MEXC),
    Source("bybit-history", convert_bybit_history, HISTORY, is_raw=False),
]
EACH_SOURCE = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)


@contextmanager
def without_scanners() -> Iterator[None]:
    """Give every line to the decoder."""

    def no_lines(_self: object, buf: object, begin: int, *_: object) -> tuple[int, int, Any]:
        return begin, 0, np.zeros(0, EVENT)

    def no_books(_self: object, begin: int, _symbol: str) -> tuple[int, Any, Any]:
        return begin, np.zeros((0, 3), np.int64), np.zeros(0, EVENT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LineScan, "run", no_lines)
        patch.setattr(_BookScan, "run", no_books)
        yield


@contextmanager
def counting_decoded() -> Iterator[list[int]]:
    """Note the numbers of the lines that the scanners leave to the decoder."""
    numbers: list[int] = []

    def noting(take: Callable[..., None]) -> Callable[..., None]:
        def line(self: object, text: bytes, number: int, *rest: object) -> None:
            numbers.append(number)
            take(self, text, number, *rest)

        return line

    with pytest.MonkeyPatch.context() as patch:
        for reader in (MessageWalk, _BookFile):
            patch.setattr(reader, "_line", noting(reader._line))
        yield numbers


def outcome(convert: Convert, path: Path, **named: Any) -> tuple[object, ...]:
    """Return all that a conversion tells: rows, account and instrument, or the error."""
    try:
        made = convert(path, **GRID, **named)
    except QueuefrontError as e:
        return type(e), str(e)
    return made.events.tobytes(), made.account, list(made.account.lines_by_kind), made.instrument


def assert_same(source: Source, path: Path, **named: Any) -> None:
    for on_bad in ("skip", "stop"):
        scanned = outcome(source.convert, path, on_bad=on_bad, **named)
        with without_scanners():
            assert scanned == outcome(source.convert, path, on_bad=on_bad, **named)


# --- messages as they should be -------------------------------------------------------------------------------------------
DECIMALS = st.one_of(
    st.integers(1, 2**53).map(str),
    st.decimals(min_value="0.00000001", max_value=10**7, places=8).map(lambda d: f"{d:f}"),
    st.sampled_from(["9007199254740992", "0.1234567890123456", "1e3", "12.5E-3", "1e22", "100.00"]),
)
QUANTITIES = st.one_of(DECIMALS, st.sampled_from(["0", "0.0", "0.00000000"]))
TIMES = st.integers(START_MS, START_MS + 10**6)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**15), 10**15), st.text("abc XYZ.:-_/{}[],", max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text("abcxyz", max_size=9), inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def plain_message(draw: st.DrawFn, source: str) -> dict[str, Any]:
    """Return a message that the venue might send, and that the scanner is made for."""
    px, qty, ts = draw(st.lists(DECIMALS, max_size=4)), draw(QUANTITIES), draw(TIMES)
    sides = [[[p, qty] for p in px[::2]], [[p, qty] for p in px[1::2]]]
    if source.startswith("bybit"):
        if source == "bybit" and px and draw(st.booleans()):
            one = test_bybit.trade(px[0], qty, draw(st.sampled_from(["Buy", "Sell"])), BT=draw(st.booleans()), T=ts)
            return test_bybit.trades(*[one] * draw(st.integers(1, 3)))
        kind = draw(st.sampled_from(["snapshot", "delta"]))
        return {**test_bybit.book(*sides, u=draw(st.integers(0, 9)), kind=kind), "ts": ts}
    if source == "mexc":
        named = [test_mexc.levels(*side) for side in sides]
        if px and draw(st.booleans()):
            return test_mexc.deals({"p": px[0], "S": draw(st.integers(1, 2)), "t": ts, "v": qty})
        make = draw(st.sampled_from([test_mexc.change, test_mexc.limit]))
        return {**make(asks=named[0], bids=named[1]), "t": ts}
    if px and draw(st.booleans()):
        return test_hyperliquid.trades({**test_hyperliquid.trade(px[0], qty), "time": ts})
    by_price = [sorted({float(p): (p, qty) for p in px[i::2]}.items()) for i in range(2)]
    return test_hyperliquid.book([level for _, level in reversed(by_price[0])], [level for _, level in by_price[1]])


@pytest.mark.slow
@EACH_SOURCE
@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_messages_as_venues_send_them_are_scanned_and_give_what_the_decoder_gives(
    tmp_path: Path, source: Source, data: st.DataObject
) -> None:
    made = data.draw(st.lists(plain_message(source.name), max_size=12))
    # The first of each kind are the decoder's, from which the scanner learns their names.
    known = source.messages[:4]
    path = tmp_path / "xyz_20240808"
    path.write_bytes(source.text([*known, *made]))
    assert_same(source, path)
    with counting_decoded() as decoded:
        outcome(source.convert, path, on_bad="skip")
    assert [number for number in decoded if number > len(known)] == []


# --- messages as they should not be ---------------------------------------------------------------------------------------
@st.composite
def changed_json(draw: st.DrawFn, message: Any) -> bytes:
    """Return a message written otherwise: other keys, other order, a key twice, spaces, escapes, other values."""
    what = draw(st.sampled_from(["shuffle", "add", "twice", "drop", "value", "space", "escape", "raw"]))
    places: list[dict[str, Any]] = []

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            places.append(value)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            visit(inner)

    message = json.loads(json.dumps(message))
    visit(message)
    place = draw(st.sampled_from(places))
    pairs = list(place.items())
    key = draw(st.sampled_from([name for name, _ in pairs]))
    if what == "shuffle":
        pairs = draw(st.permutations(pairs))
    elif what == "add":
        pairs.insert(draw(st.integers(0, len(pairs))), (draw(st.text("abuTsx", max_size=10)), draw(JSON)))
    elif what == "drop":
        pairs = [pair for pair in pairs if pair[0] != key]
    elif what == "value":
        pairs = [(name, draw(JSON) if name == key else value) for name, value in pairs]
    place.clear()
    place.update(pairs)
    text = json.dumps(message, separators=(", ", ": ") if what == "space" else (",", ":"), ensure_ascii=False)
    if what == "twice":  # in front, where the later one wins, or behind, where it does
        once = json.dumps({key: place[key]}, separators=(",", ":"))[1:-1]
        other = f'"{key}":{json.dumps(draw(JSON), separators=(",", ":"))}'
        text = text.replace(once, draw(st.sampled_from([f"{once},{other}", f"{other},{once}", f"{once},{once}"])), 1)
    if what == "escape":
        text = text.replace(key, f"\\u{ord(key[0]):04x}{key[1:]}", 1)
    body = text.encode()
    if what == "raw":
        at = draw(st.integers(0, len(body) - 1))
        body = body[:at] + draw(st.one_of(BYTES, NUMBERS)) + body[at + draw(st.integers(0, 2)) :]
    return body.replace(b"\n", b" ")


@st.composite
def hostile_file(draw: st.DrawFn, source: Source) -> bytes:
    made = [*source.messages, *draw(st.lists(st.sampled_from(source.messages), max_size=8))]
    for i in draw(st.lists(st.integers(0, len(made) - 1), max_size=6, unique=True)):
        made[i] = draw(changed_json(made[i]))
    text = source.text(made)
    return draw(mutated(text)) if draw(st.booleans()) else text


@EACH_SOURCE
@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_file_gives_the_same_with_the_scanner_and_without(
    tmp_path: Path, source: Source, data: st.DataObject
) -> None:
    path = tmp_path / "xyz_20240808"
    path.write_bytes(data.draw(hostile_file(source)))
    assert_same(source, path, gap_threshold_ns=data.draw(st.sampled_from([10**10, 10**6, 0, 2**70])))


@pytest.mark.slow
@EACH_SOURCE
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_many_changed_files_give_the_same_with_the_scanner_and_without(
    tmp_path: Path, source: Source, data: st.DataObject
) -> None:
    path = tmp_path / "xyz_20240808"
    path.write_bytes(data.draw(hostile_file(source)))
    assert_same(source, path, gap_threshold_ns=data.draw(st.sampled_from([10**10, 10**6, 0, 2**70])))


NUMBER_TEXTS = [
    *(b"0 -0 -1 00.5 .5 5. 1.2.3 +1 1e 1e5 1E-7 1e-400 1e400 1e22 1e23 0.1e23 nan inf NaN Infinity 0x10").split(),
    *b"9007199254740992 9007199254740993 123456789012345678 1234567890123456789 0.30000000000000004 1_0".split(),
    *(b"9223372036854775807 9223372036854775808 18446744073709551616 1700000000000000000000").split(),
    *(b'"5" "" true null [] {}').split(),
]


@EACH_SOURCE
@pytest.mark.parametrize("number", NUMBER_TEXTS, ids=lambda number: number.decode())
def test_each_number_in_each_place_means_the_same_with_the_scanner_and_without(
    tmp_path: Path, source: Source, number: bytes
) -> None:
    lines = []
    for message in source.messages[:4]:
        body = raw_line(message, 0)[20:-1]
        lines.append(body)
        inside = [i for i in range(len(body)) if body[i : i + 1].isdigit() and not body[i - 1 : i].isalnum()]
        ends = [
            next(k for k in range(i, len(body) + 1) if not body[k : k + 1] or body[k] not in b"0123456789.") for i in inside
        ]
        lines += [body[:i] + number + body[end:] for i, end in zip(inside, ends, strict=True)]
    path = tmp_path / "xyz_20240808"
    path.write_bytes(source.text(lines))
    assert_same(source, path)


# --- where lines lie ------------------------------------------------------------------------------------------------------
@EACH_SOURCE
@pytest.mark.parametrize("block_bytes", [1, 7, 64, 333, 1000])
def test_blocks_may_end_anywhere(tmp_path: Path, source: Source, block_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "xyz_20240808"
    path.write_bytes(source.text(source.messages[:4] * 3).rstrip(b"\n"))  # the last line is unfinished
    whole = outcome(source.convert, path)
    for reader in (raw, packed):
        monkeypatch.setattr(reader, "_BLOCK_BYTES", block_bytes)
    assert outcome(source.convert, path) == whole
    assert_same(source, path)


@EACH_SOURCE
def test_all_lists_of_the_account_end_at_the_same_place(tmp_path: Path, source: Source) -> None:
    bad = b'{"topic":"publicTrade.XYZUSDT","channel":"trades","c":"spot@public.deals.v3.api@X","data":7,"d":7}'
    messages = [*source.messages[:4], *[bad] * 3, *source.messages[:4]]
    path = tmp_path / "xyz_20240808"
    path.write_bytes(source.text(messages * (LIST_MAX // 2)))
    made = source.convert(path, **GRID, on_bad="skip", gap_threshold_ns=0)
    assert made.account.gap_count > len(made.account.gaps) == LIST_MAX
    assert_same(source, path, gap_threshold_ns=0)


def test_books_without_a_level_in_common_have_room_for_all_that_comes_and_goes(tmp_path: Path) -> None:
    odd, even = ([(str(px), "1") for px in (first, first + 2)] for first in (5, 6))
    source, path = SOURCES[2], tmp_path / "xyz_20240808"
    path.write_bytes(source.text([test_hyperliquid.book(odd[::-1], even), test_hyperliquid.book(even[::-1], odd)] * 500))
    assert len(source.convert(path, **GRID).events) == 4 + 999 * 8
    assert_same(source, path)


@pytest.mark.parametrize("name_count", [15, 16, 17, 40])
def test_more_names_than_the_scanner_keeps_go_to_the_decoder(tmp_path: Path, name_count: int) -> None:
    source = SOURCES[0]
    others = [{"topic": f"kline.{i}.{'X' * i}", "ts": START_MS, "data": []} for i in range(name_count)]
    path = tmp_path / "xyz_20240808"
    path.write_bytes(source.text([*others, *BYBIT[:4], *others, *BYBIT[:4]]))
    assert_same(source, path)


# --- real data ------------------------------------------------------------------------------------------------------------
def real_lines(name: str) -> list[bytes]:
    """Return the lines of a recorded file, or skip the test."""
    path = feed(name)
    if name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0]).splitlines(keepends=True)
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


REAL = [(SOURCES[5], "bybit/xrpusdt-ob500.data.zip"), (SOURCES[2], "hyperliquid_btc_20250126.gz")]


@pytest.mark.parametrize(("source", "name"), REAL)
def test_real_files_are_scanned_but_for_their_first_lines(tmp_path: Path, source: Source, name: str) -> None:
    lines = real_lines(name)
    path = tmp_path / "plain"
    path.write_bytes(b"".join(lines * 3))
    assert_same(source, path)
    with counting_decoded() as decoded:
        source.convert(path, **GRID)
    assert len(decoded) <= 2
    assert max(decoded) <= 3


@pytest.mark.slow
@pytest.mark.parametrize(("source", "name"), REAL)
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_real_lines_that_are_changed_give_the_same(tmp_path: Path, source: Source, name: str, data: st.DataObject) -> None:
    lines = real_lines(name)
    first = data.draw(st.integers(0, len(lines) - 5))
    path = tmp_path / "plain"
    path.write_bytes(data.draw(mutated(b"".join(lines[first : first + 5]))))
    assert_same(source, path)

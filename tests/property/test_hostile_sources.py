"""Files that are cut off, damaged or lie: each ends in an error naming the file, or in refusals that are counted (H6)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from queuefront.core import DataError
from queuefront.feed import Conversion
from queuefront.feed.sources import packed as packed_module
from tests.property.hostile import SOURCES, Hostile, deformed, packed

PACKINGS = ("plain", "gzip", "zip", "zstd")


def outcome(source: Hostile, path: Path, data: bytes, on_bad: str = "stop") -> Conversion | DataError:
    """Convert; return what came of it. Any other exception is a failure of the test."""
    path.write_bytes(data)
    try:
        return source.convert(path, on_bad)
    except DataError as e:
        error = e
    assert str(path) in str(error), f"the error does not name the file: {error}"
    return error


def rows_of(conversion: Conversion) -> list[tuple]:
    return conversion.events.tolist()


@pytest.fixture(params=SOURCES, ids=str)
def source(request: pytest.FixtureRequest) -> Hostile:
    return request.param


@pytest.fixture
def path(source: Hostile, tmp_path: Path) -> Path:
    return tmp_path / source.name


def test_the_file_itself_is_converted_however_it_is_packed(source: Hostile, path: Path):
    plain = outcome(source, path, source.text)
    assert isinstance(plain, Conversion)
    assert (plain.account.refused_count, plain.account.damage) == (0, None)
    assert len(plain.events) >= 2
    for packing in PACKINGS[1:] if source.is_packed else ():
        made = outcome(source, path, packed(source.text, packing))
        assert isinstance(made, Conversion)
        assert rows_of(made) == rows_of(plain)


@pytest.mark.parametrize("packing", [p if p in PACKINGS[:2] else pytest.param(p, marks=pytest.mark.soak) for p in PACKINGS])
def test_a_file_cut_off_at_any_byte_gives_no_row_that_it_does_not_hold(source: Hostile, path: Path, packing: str):
    """H6.1, H6.5, H6.6. Cut between two lines, a plain file is a shorter file; otherwise it is refused."""
    data = source.text if packing == "plain" else packed(source.text, packing)
    full = outcome(source, path, data)
    assert isinstance(full, Conversion)
    is_json = source.text[:1] == b"{"
    for cut in range(len(data)):
        made = outcome(source, path, data[:cut])
        if isinstance(made, Conversion):
            text = data[:cut]
            assert packing == "plain"
            assert text.endswith(b"\n") or (is_json and text.endswith(b"}")), f"cut at {cut} went unnoticed"
        kept = outcome(source, path, data[:cut], "skip")
        if isinstance(kept, Conversion):
            # Rows at the end of a whole file may differ: a snapshot that is cut off has another worst price.
            assert kept.account.events <= full.account.events
            is_noticed = kept.account.refused_count or kept.account.damage
            assert is_noticed or isinstance(made, Conversion), f"cut at {cut} went unnoticed"


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_flipped_bits_end_in_an_error_or_in_counts(source: Hostile, path: Path, packing: str, on_bad: str):
    data = source.text if packing == "plain" else packed(source.text, packing)
    rng = random.Random(7)
    for _ in range(120):
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        outcome(source, path, bytes(flipped), on_bad)


def test_what_no_record_may_hold_is_named_by_line_or_counted(source: Hostile, path: Path):
    for what, text in deformed(source):
        stopped = outcome(source, path, text)
        assert isinstance(stopped, DataError), f"{what} went unnoticed"
        assert "line " in str(stopped), f"{what}: {stopped}"
        skipped = outcome(source, path, text, "skip")
        if isinstance(skipped, Conversion):
            assert skipped.account.refused_count >= 1, f"{what} was not counted"
            assert skipped.account.refused[0].reason


def test_records_out_of_order_and_twice_are_put_in_order(source: Hostile, path: Path):
    head, *lines = source.text.split(b"\n")[:-1]
    if b"price" not in head:
        head, lines = b"", [head, *lines]
    text = b"".join(line + b"\n" for line in ([head] if head else []) + lines[::-1] + lines)
    made = outcome(source, path, text)
    if isinstance(made, Conversion):
        from queuefront.feed import validate_event_order

        validate_event_order(made.events)
    else:
        assert source.source == "lobster"  # which says that an order is entered twice


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n" * 1000,
        b"\0" * 1000,
        b"\xff\xfe" * 500,
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b",
        b"BZh91AY",
        b"\xfd7zXZ\0",
    ],
    ids=["empty", "newline", "newlines", "zeros", "utf-16 mark", "zip", "empty zip", "gzip", "bzip2", "xz"],
)
@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_a_file_of_something_else_makes_no_events(source: Hostile, path: Path, data: bytes, on_bad: str):
    made = outcome(source, path, data, on_bad)
    assert not isinstance(made, Conversion) or not len(made.events)


@pytest.mark.parametrize("packing", PACKINGS[1:])
def test_a_bomb_is_refused_before_it_is_unpacked(
    source: Hostile, path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
):
    if not source.is_packed:
        pytest.skip("the source is not read packed")
    monkeypatch.setattr(packed_module, "_FREE_BYTES", 2**20)
    line = source.text.split(b"\n")[-2] + b"\n"
    bomb = packed(source.text + line * (12 * 2**20 // len(line)), packing)
    assert len(bomb) * packed_module.EXPANSION_MAX < 12 * 2**20
    for data in (bomb, packed(b"\0" * 12 * 2**20, packing)):
        made = outcome(source, path, data)
        assert isinstance(made, DataError)


def test_columns_in_another_order_are_found_by_name(tmp_path: Path):
    names = b"amount,symbol,local_timestamp,timestamp,exchange,id,price,side\n"
    text = names + b"2,B,1585699200355684,1585699200245000,d,a,7.5,buy\n"
    (tmp_path / "x.csv").write_bytes(text)
    source = SOURCES[0]
    row = source.convert(tmp_path / "x.csv", "stop").events[0]
    assert (row["px"], row["qty"], row["exch_ts"]) == (7.5, 2.0, 1585699200245000000)

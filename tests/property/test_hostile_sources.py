"""What is cut off, damaged or lies ends in an error that names the file, or in refusals that are counted (H6).

Every source of `hostile` is tried with everything that can be wrong with a file; `docs/fuzzing.md` has the table.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pytest

from queuefront.core import ConfigError, DataError, DataFormatError
from queuefront.core.dtypes import EVENT
from queuefront.feed import Conversion, validate_event_order
from queuefront.feed.sources import raw as raw_module
from tests.property.hostile import ARCHIVES, PACKINGS, SOURCES, Hostile, deformed, packed

Made = Conversion | np.ndarray


def outcome(source: Hostile, path: Path, data: bytes, on_bad: str = "stop") -> Made | DataError | ConfigError:
    """Convert; return what came of it. Any other exception is a failure of the test."""
    path.write_bytes(data)
    try:
        made = source.convert(path, on_bad)
    except (DataError, ConfigError) as e:
        # An instrument id that was damaged asks for a choice.
        if str(path) not in str(e) or (isinstance(e, ConfigError) and "instruments; give symbol" not in str(e)):
            raise AssertionError(f"the error does not name the file: {e!r}") from e
        return e
    rows = rows_of(made)
    if rows.dtype == EVENT and isinstance(made, Conversion):
        validate_event_order(rows)
    return made


def rows_of(made: object) -> np.ndarray:
    assert isinstance(made, Made), made
    return made.events if isinstance(made, Conversion) else made


def is_noticed(made: object) -> bool:
    """Whether the account tells of what was left out."""
    return isinstance(made, Conversion) and bool(made.account.refused_count or made.account.damage)


@pytest.fixture(params=SOURCES, ids=str)
def source(request: pytest.FixtureRequest) -> Hostile:
    return request.param


@pytest.fixture
def path(source: Hostile, tmp_path: Path) -> Path:
    return place(source, tmp_path, "plain")


def place(source: Hostile, folder: Path, packing: str) -> Path:
    """Return where a file is written; tables and records by order go by their name."""
    suffix = {"gzip": ".gz", "zstd": ".zst"}.get(packing, "") if source.source in ("table", "databento") else ""
    return folder / f"{source.name}{suffix}"


def test_the_file_itself_is_converted_however_it_is_packed(source: Hostile, path: Path, tmp_path: Path):
    plain = outcome(source, path, source.data)
    assert not is_noticed(plain)
    assert len(rows_of(plain)) >= 2
    for packing in source.packings:
        made = outcome(source, place(source, tmp_path, packing), packed(source.data, packing))
        assert rows_of(made).tolist() == rows_of(plain).tolist()


@pytest.mark.parametrize(
    "packing", [p if p in ("plain", "gzip") else pytest.param(p, marks=pytest.mark.soak) for p in ("plain", *PACKINGS[:3])]
)
def test_a_file_cut_off_at_any_byte_gives_no_row_that_it_does_not_hold(source: Hostile, tmp_path: Path, packing: str):
    """H6.1, H6.5, H6.6. Cut between two records, a plain file is a shorter file; otherwise it is refused."""
    if packing not in ("plain", *source.packings):
        pytest.skip("the source is not read packed so")
    path = place(source, tmp_path, packing)
    data = source.data if packing == "plain" else packed(source.data, packing)
    full = rows_of(outcome(source, path, data))
    for cut in range(len(data)):
        made = outcome(source, path, data[:cut])
        if isinstance(made, Made):
            assert packing == "plain" or not cut
            text = data[:cut]
            is_whole = text.endswith(b"\n") or (source.is_json and text.endswith(b"}")) or not text
            assert is_whole or (source.source == "databento" and (len(data) - cut) % RECORD_BYTES[source.name] == 0)
        kept = outcome(source, path, data[:cut], "skip")
        if isinstance(kept, Made):
            # Rows at the end of a whole file may differ: a snapshot that is cut off has another worst price.
            assert len(rows_of(kept)) <= len(full)
            assert is_noticed(kept) or isinstance(made, Made), f"cut at {cut} went unnoticed"


RECORD_BYTES = {"mbo.dbn": 56, "mbp.dbn": 80}


@pytest.mark.parametrize("packing", ["plain", *PACKINGS[:3]])
@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_flipped_bits_end_in_an_error_or_in_counts(source: Hostile, tmp_path: Path, packing: str, on_bad: str):
    if packing not in ("plain", *source.packings):
        pytest.skip("the source is not read packed so")
    path = place(source, tmp_path, packing)
    data = source.data if packing == "plain" else packed(source.data, packing)
    rng = random.Random(7)
    for _ in range(120):
        flipped = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        outcome(source, path, bytes(flipped), on_bad)


def test_what_no_record_may_hold_is_named_or_counted(source: Hostile, path: Path):
    """H0.5: wrong types, numbers that are none, too large or negative, times at the limits and in another unit."""
    for what, data in deformed(source):
        stopped = outcome(source, path, data)
        assert isinstance(stopped, DataError), f"{what} went unnoticed"
        skipped = outcome(source, path, data, "skip")
        if isinstance(skipped, Made):
            assert isinstance(skipped, Conversion), f"{what} went unnoticed"
            assert skipped.account.refused_count >= 1, f"{what} was not counted"
            assert skipped.account.refused[0].reason
            record = rf"(line|record) {skipped.account.refused[0].line}\b"
            assert re.search(record, str(stopped)), f"{what}: {stopped}"


def test_records_out_of_order_and_twice_are_put_in_order(source: Hostile, path: Path):
    if not source.is_text:
        pytest.skip("its records are read in the order of the file; a tape refuses another one")
    head, *lines = source.data.split(b"\n")[:-1]
    if b"price" not in head and b",p," not in head:
        head, lines = b"", [head, *lines]
    data = b"".join(line + b"\n" for line in ([head] if head else []) + lines[::-1] + lines)
    made = outcome(source, path, data)
    if isinstance(made, Conversion):
        assert len(made.events) >= len(lines)
    else:
        assert source.source == "lobster"  # which says that an order is entered twice


@pytest.mark.parametrize("name", ["mbo.dbn", "mbp.dbn"])
def test_binary_records_out_of_order_and_twice_are_put_in_order(name: str, tmp_path: Path):
    source = next(source for source in SOURCES if source.name == name)
    size = RECORD_BYTES[name]
    head, body = source.data[: -3 * size], source.data[-3 * size :]
    records = [body[i : i + size] for i in range(0, 3 * size, size)]
    made = outcome(source, tmp_path / name, head + b"".join(records[::-1] + records))
    assert isinstance(made, Conversion)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n" * 1000,
        b"\0" * 1000,
        b"\xff\xfe" * 500,
        "price,é\n1,2\n".encode("utf-16"),
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b",
        b"BZh91AY",
        b"\xfd7zXZ\0",
        b"PAR1PAR1",
        b"DBN\x03" + b"\xff" * 64,
    ],
    ids=lambda data: repr(data[:12]),
)
@pytest.mark.parametrize("on_bad", ["stop", "skip"])
def test_a_file_of_something_else_makes_no_events(source: Hostile, path: Path, data: bytes, on_bad: str):
    made = outcome(source, path, data, on_bad)
    assert not isinstance(made, Made) or not len(rows_of(made))


def test_a_file_in_a_packing_that_is_not_read_makes_no_events(source: Hostile, path: Path):
    for packing in PACKINGS:
        if packing not in source.packings:
            made = outcome(source, path, packed(source.data, packing))
            assert isinstance(made, DataError), packing
    twice = packed(packed(source.data, "gzip"), "gzip")
    assert isinstance(outcome(source, path, twice), DataError)


@pytest.mark.parametrize("packing", PACKINGS[:3])
def test_a_bomb_is_refused_before_it_is_unpacked(
    source: Hostile, tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
):
    if packing not in source.packings or not source.is_text:
        pytest.skip("the source is not read packed so, or by records whose number is known")
    monkeypatch.setattr(raw_module, "FREE_BYTES", 2**20)
    line = source.data.split(b"\n")[-2] + b"\n"
    bomb = packed(source.data + line * (12 * 2**20 // len(line)), packing)
    assert len(bomb) * raw_module.EXPANSION_MAX < 12 * 2**20
    for data in (bomb, packed(b"\0" * 12 * 2**20, packing)):
        made = outcome(source, place(source, tmp_path, packing), data)
        assert isinstance(made, DataFormatError)


def test_columns_in_another_order_are_found_by_name(tmp_path: Path):
    names = b"amount,symbol,local_timestamp,timestamp,exchange,id,price,side\n"
    text = names + b"2,B,1585699200355684,1585699200245000,d,a,7.5,buy\n"
    (tmp_path / "x.csv").write_bytes(text)
    row = rows_of(ARCHIVES[0].convert(tmp_path / "x.csv", "stop"))[0]
    assert (row["px"], row["qty"], row["exch_ts"]) == (7.5, 2.0, 1585699200245000000)

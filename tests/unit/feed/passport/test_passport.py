"""The passport that a tape carries, and what it says of times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

import queuefront.feed.passport as passport_room
from queuefront.core import DataFormatError
from queuefront.feed import Passport, Tape, Verdict, passport_of
from queuefront.feed.passport.passport import measures_from_text, measures_text
from tests.passport_market import SECOND, T0, tape_of

ROWS = tuple((k / 20, "bid", 100, 5 + k % 2) for k in range(1_201) if not 420 < k < 560)  # silent from 21 to 28 s


def holed() -> Tape:
    return tape_of((0, "ask", 102, 7), *ROWS)


def test_a_saved_tape_carries_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measures = holed().measures
    holed().save(tmp_path / "a.tape")
    monkeypatch.setattr(passport_room, "measure", lambda _: pytest.fail("the tape was measured again"))
    assert Tape.open(tmp_path / "a.tape").measures == measures


def test_the_same_tape_is_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        holed().save(tmp_path / f"{name}.tape")
    assert (tmp_path / "a.tape").read_bytes() == (tmp_path / "b.tape").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"version": 0},
        {"checksum": "of another tape"},
        {"columns": {}},
        {"means": {"spread_ticks": []}},
        {"span_ns": 0},
    ],
)
def test_measures_that_cannot_be_trusted_are_made_again(change: dict[str, object]) -> None:
    measures = passport_of(holed()).measures
    assert measures_from_text(measures_text(measures), measures.checksum) == measures
    altered = {**msgspec.to_builtins(measures), **change}
    assert measures_from_text(msgspec.json.encode(altered), measures.checksum) is None


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[]", b'{"version": 1}'])
def test_measures_that_cannot_be_read_are_made_again(text: bytes) -> None:
    assert measures_from_text(text, "") is None


def test_a_tape_whose_passport_was_altered_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    holed().save(path)
    Tape.open(path).verify()
    data = path.read_bytes()
    at = data.index(b'"silence_ns":[') + len(b'"silence_ns":[')
    path.write_bytes(data.replace(data[at : at + 6], b"999999"))
    with pytest.raises(DataFormatError, match="passport is not what its columns come to"):
        Tape.open(path).verify()


def test_stretches_join_neighbouring_spans() -> None:
    passport = passport_of(holed(), span_ns=5 * SECOND)
    # 21 to 28 s: of the spans from 20 and from 25 s.
    assert passport.stretches(Verdict.BAD).tolist() == [[T0 + 20 * SECOND, T0 + 30 * SECOND]]
    assert passport.span_counts[Verdict.BAD] == 2
    assert passport.time_shares[Verdict.BAD] == pytest.approx(10 / 60)
    assert passport.span(4) == (T0 + 20 * SECOND, T0 + 25 * SECOND)


def test_a_stretch_of_time_has_the_worst_verdict_that_it_touches() -> None:
    passport = passport_of(holed())
    at = T0 + np.array([-5, 0, 15, 19, 20, 29, 30, 59, 10_000]) * SECOND
    assert passport.verdicts_between(at, at).tolist() == [0, 0, 0, 0, 2, 2, 0, 0, 0]
    start = T0 + np.array([-5, 10, 19, 30]) * SECOND
    end = T0 + np.array([10_000, 19, 20, 10_000]) * SECOND
    assert passport.verdicts_between(start, end).tolist() == [2, 0, 2, 0]


def test_a_tape_without_rows_says_nothing_of_times() -> None:
    at = np.array([T0], np.int64)
    assert passport_of(tape_of()).verdicts_between(at, at).tolist() == [0]


def test_the_passport_is_written_as_plain_data() -> None:
    told = json.loads(json.dumps(passport_of(holed()).to_dict()))
    assert told["verdict"] == "bad"
    assert told["spans"][2]["reasons"][0]["rule"] == "silence"
    assert told["thresholds"]["silence_bad_ms"] == 3_000
    assert told["measures"]["columns"]["events"][0] == 201


def test_it_shows_what_it_is() -> None:
    assert repr(passport_of(holed())) == "<Passport bad: 6 good, 0 suspect, 1 bad spans>"
    assert isinstance(passport_of(holed()), Passport)


def test_a_tape_without_a_passport_is_measured_when_it_is_asked(tmp_path: Path) -> None:
    import pyarrow as pa

    holed().save(tmp_path / "a.tape")
    with pa.ipc.open_file(tmp_path / "a.tape") as reader:
        batch = reader.get_batch(0)
    metadata = {k: v for k, v in batch.schema.metadata.items() if k != b"queuefront.passport"}
    schema = batch.schema.with_metadata(metadata)
    with pa.ipc.new_file(tmp_path / "old.tape", schema) as writer:
        writer.write_batch(batch.replace_schema_metadata(metadata))
    old = Tape.open(tmp_path / "old.tape")
    old.verify()
    assert old.measures == holed().measures


def test_a_tape_under_another_instrument_or_range_keeps_its_passport() -> None:
    tape = holed()
    measures = tape.measures
    assert tape.with_instrument(tape.instrument.override(multiplier=1)).measures is measures
    assert tape.bounded(100, 101).measures is measures


def test_a_start_does_without_the_passport(tmp_path: Path) -> None:
    holed().save(tmp_path / "a.tape")
    code = (
        "import sys; from queuefront import Asset, Backtest; "
        f"Backtest(Asset({str(tmp_path / 'a.tape')!r})); "
        "sys.exit('queuefront.feed.passport' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

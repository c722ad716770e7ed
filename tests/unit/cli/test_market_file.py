"""Files of market data by suffix; nothing is replaced that was not asked to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from queuefront.cli.market_file import FileKind, kind_of, read_unchecked, refuse_existing, write_market
from queuefront.core import EVENT, ConfigError, DataFormatError, SchemaMismatchError
from queuefront.feed import SynthConfig, Tape, read_events, synthesize, synthetic_instrument

CONFIG = SynthConfig(events=500, seed=2)


@pytest.mark.parametrize(("name", "kind"), [("a.tape", "tape"), ("a.b.npz", "npz"), ("a.parquet", "parquet")])
def test_the_suffix_tells_the_kind(name: str, kind: str) -> None:
    assert kind_of(Path(name)) == kind


def test_another_suffix_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        kind_of(Path("a.csv"))
    assert str(caught.value) == "a.csv: the suffix '.csv' is no kind of market data; choose one of .tape, .npz, .parquet"


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    refuse_existing(path, force=False)
    path.touch()
    with pytest.raises(ConfigError) as caught:
        refuse_existing(path, force=False)
    assert str(caught.value) == f"{path} exists; choose another name, or replace it with --force"
    refuse_existing(path, force=True)


def test_a_missing_folder_is_found_before_the_work(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.tape"
    with pytest.raises(ConfigError) as caught:
        refuse_existing(path, force=True)
    assert str(caught.value) == f"{path}: the folder {path.parent} does not exist; make it first"


@pytest.mark.parametrize("kind", list(FileKind))
def test_events_come_back_as_they_were_written(tmp_path: Path, kind: FileKind) -> None:
    path, events = tmp_path / f"a.{kind}", synthesize(CONFIG)
    write_market(path, kind, events, synthetic_instrument(CONFIG), "here")
    if kind is FileKind.TAPE:
        back = Tape.open(path).to_events()
    elif kind is FileKind.NPZ:
        back = read_events(path)
        np.testing.assert_array_equal(read_unchecked(path, kind), events)
    else:
        back = read_unchecked(path, kind)
    np.testing.assert_array_equal(back, events)


def test_a_tape_remembers_its_source_and_account(tmp_path: Path) -> None:
    path = tmp_path / "a.tape"
    write_market(path, FileKind.TAPE, synthesize(CONFIG), synthetic_instrument(CONFIG), "feed.gz", {"lines": 3})
    meta = Tape.open(path).meta
    assert (meta["source"], meta["account"]) == ("feed.gz", {"lines": 3})


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"no")
    with pytest.raises(DataFormatError, match=r"a\.parquet: not a readable Parquet file: .*; convert its source again$"):
        read_unchecked(path, FileKind.PARQUET)


@pytest.mark.parametrize("column", [[1], [None]])
def test_a_parquet_of_other_columns_or_with_nulls_is_refused(tmp_path: Path, column: list[int | None]) -> None:
    path = tmp_path / "a.parquet"
    columns = {name: pa.array([1], pa.from_numpy_dtype(EVENT[name])) for name in EVENT.names or ()}
    if column == [1]:
        columns["extra"] = pa.array(column)
    else:
        columns["px"] = pa.array(column, pa.float64())
    pq.write_table(pa.table(columns), path)
    with pytest.raises(SchemaMismatchError, match=r"which are not those of events; convert its source again$"):
        read_unchecked(path, FileKind.PARQUET)

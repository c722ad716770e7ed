"""The table of sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.cli.convert_sources import SOURCES, SourceName, described, source_of
from queuefront.core import ConfigError
from queuefront.feed import Tape
from tests.unit.cli.runs import qf
from tests.unit.feed.sources import test_bybit, test_hyperliquid
from tests.unit.feed.sources.raw_files import START_MS, raw_file
from tests.unit.feed.sources.test_table_mapping import EXAMPLE

FILE, OTHER = Path("a"), Path("b")


def test_a_source_takes_its_own_options() -> None:
    assert source_of(SourceName.DATABENTO, [FILE], {"symbol": "ESM4"}) is SOURCES[SourceName.DATABENTO]


def test_a_source_of_one_file_takes_no_second() -> None:
    with pytest.raises(ConfigError) as e:
        source_of(SourceName.DATABENTO, [FILE, OTHER], {})
    assert str(e.value) == "databento takes one file, and there are 2; convert them one by one and `qf fuse` them"


@pytest.mark.parametrize(
    ("given", "flag"),
    [
        ({"opt": "t"}, "--opt"),
        ({"combined_stream": False}, "--raw-stream"),
        ({"combined_stream": True}, "--combined"),
        ({"delete_out_of_book": True}, "--delete-out-of-book"),
        ({"delete_out_of_book": False}, "--keep-out-of-book"),
        ({"level": 1}, "--level"),
        ({"levels_max": 5}, "--levels-max"),
        ({"exch_ts_multiplier": 1000}, "--exch-ts-multiplier"),
    ],
)
def test_an_option_of_another_source_is_named_as_the_user_wrote_it(given: dict[str, object], flag: str) -> None:
    with pytest.raises(ConfigError) as e:
        source_of(SourceName.DATABENTO, [FILE], given)
    assert str(e.value) == f"{flag} says nothing about databento; leave it out"


def test_every_source_says_what_its_input_is() -> None:
    assert set(SOURCES) == set(SourceName)
    assert all(source.help for source in SOURCES.values())


def test_sources_with_equal_inputs_are_described_together() -> None:
    assert described(SOURCES).startswith(
        "binance-usdm, binance-spot, binance-coinm, bybit, hyperliquid, mexc: raw stream, plain or .gz; databento: "
    )


def test_raw_streams_become_tapes(tmp_path: Path) -> None:
    deal = {"c": "spot@public.deals.v3.api@X", "d": {"deals": [{"p": "1.5", "v": "2", "S": 1, "t": START_MS}]}, "s": "X"}
    for name, messages, options in (
        ("bybit", [test_bybit.SNAPSHOT], ["--level", "50"]),
        ("bybit", [test_bybit.SNAPSHOT], []),
        ("hyperliquid", [test_hyperliquid.FIRST], ["--keep-out-of-book"]),
        ("mexc", [deal], []),
    ):
        out = tmp_path / "out.tape"
        ran = qf("convert", name, raw_file(tmp_path, *messages), "-o", out, "-f", *options)
        assert (ran.code, ran.err) == (0, "")
        assert Tape.open(out).instrument.venue == name


def test_hyperliquid_takes_the_most_levels_and_the_unit_of_its_times(tmp_path: Path) -> None:
    # B10.1: num_levels and exch_ts_multiplier of hftbacktest's converter.
    raw, out = raw_file(tmp_path, test_hyperliquid.FIRST), tmp_path / "out.tape"
    ran = qf("convert", "hyperliquid", raw, "-o", out, "--levels-max", 2)
    assert ran.code != 0
    assert "`levels[0]` has 3 levels where --levels-max is 2; give more" in ran.err
    assert qf("convert", "hyperliquid", raw, "-o", out, "--levels-max", 3).code == 0
    whole = Tape.open(out).to_events()["exch_ts"]
    ran = qf("convert", "hyperliquid", raw, "-o", out, "-f", "--exch-ts-multiplier", 500_000)
    assert (ran.code, ran.err) == (0, "")
    np.testing.assert_array_equal(Tape.open(out).to_events()["exch_ts"], whole // 2)


def test_a_table_becomes_a_tape_by_its_mapping(tmp_path: Path) -> None:
    table, out = tmp_path / "trades.csv", tmp_path / "out.tape"
    table.write_text(
        "timestamp,local_timestamp,price,amount,side,type,symbol\n"
        "1700000000000000,1700000000000100,1.5,2,buy,trade,BTCUSDT\n"
        "1700000000000000,1700000000000100,1.5,2,buy,trade,ETHUSDT\n"
    )
    ran = qf("convert", "table", table, "-o", out, "--columns", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    assert "records read 2" in ran.rows
    assert len(Tape.open(out)) == 1
    ran = qf("convert", "table", table, "-o", out, "-f")
    assert ran.err == (
        "qf convert: a table needs a mapping of its columns; give --columns FILE.toml (docs/data.md shows one)\n"
    )

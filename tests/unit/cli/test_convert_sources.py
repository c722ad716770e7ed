"""The table of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.cli.convert_sources import SOURCES, SourceName, described, source_of
from queuefront.core import ConfigError

FILE, OTHER = Path("a"), Path("b")


def test_a_source_takes_its_own_options() -> None:
    assert source_of(SourceName.DATABENTO, [FILE], {"symbol": "ESM4"}) is SOURCES[SourceName.DATABENTO]


def test_a_source_of_one_file_takes_no_second() -> None:
    with pytest.raises(ConfigError) as e:
        source_of(SourceName.DATABENTO, [FILE, OTHER], {})
    assert str(e.value) == "databento takes one file, and there are 2; convert them one by one and `qf fuse` them"


@pytest.mark.parametrize(
    ("given", "flag"),
    [({"opt": "t"}, "--opt"), ({"combined_stream": False}, "--raw-stream"), ({"combined_stream": True}, "--combined")],
)
def test_an_option_of_another_source_is_named_as_the_user_wrote_it(given: dict[str, object], flag: str) -> None:
    with pytest.raises(ConfigError) as e:
        source_of(SourceName.DATABENTO, [FILE], given)
    assert str(e.value) == f"{flag} says nothing about databento; leave it out"


def test_every_source_says_what_its_input_is() -> None:
    assert set(SOURCES) == set(SourceName)
    assert all(source.help for source in SOURCES.values())


def test_sources_with_equal_inputs_are_described_together() -> None:
    assert described(SOURCES).startswith("binance-usdm, binance-spot, binance-coinm: raw stream, plain or .gz; ")

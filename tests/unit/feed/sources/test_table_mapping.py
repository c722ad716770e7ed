"""A mapping is taken as it stands, or refused by the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.core import ConfigError
from queuefront.feed.sources.table_mapping import load_mapping

EXAMPLE = Path(__file__).resolve().parents[4] / "examples" / "data" / "table_mapping.toml"


def mapping(**changes):
    columns = {
        "exch_ts": {"name": "t", "unit": "ms"},
        "px": "p",
        "qty": "q",
        "side": {"name": "side", "buy": ["b"], "sell": ["s"]},
        "kind": "trade",
    }
    columns |= changes.pop("columns", {})
    return {"columns": {name: value for name, value in columns.items() if value is not None}} | changes


def test_the_example_is_a_mapping_and_shows_most_keys():
    made = load_mapping(EXAMPLE)
    assert (made.symbol, made.columns.exch_ts.unit) == ("BTCUSDT", "us")
    assert set(made.names) == {
        "columns.exch_ts.name",
        "columns.local_ts.name",
        "columns.px",
        "columns.qty",
        "columns.side.name",
        "columns.kind.name",
        "columns.symbol",
    }


def test_another_symbol_may_be_chosen():
    assert load_mapping(mapping(symbol="A"), "B").symbol == "B"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"columns": {"px": None}}, "Object missing required field `px` - at `columns`; "),
        ({"columns": {"price": "p"}}, "Object contains unknown field `price` - at `columns`; "),
        ({"columns": {"px": 5}}, "Expected `str`, got `int` - at `columns.px`; "),
        ({"columns": {"exch_ts": {"name": "t", "unit": "h"}}}, "Invalid enum value 'h' - at `columns.exch_ts.unit`; "),
        ({"colour": 1}, "Object contains unknown field `colour`; "),
    ],
)
def test_keys_that_are_wrong_are_named(changes, text):
    with pytest.raises(ConfigError) as caught:
        load_mapping(mapping(**changes))
    assert str(caught.value) == f"mapping: {text}docs/data.md shows a mapping with every key"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"columns": {"kind": "trades"}},
            (
                "columns.kind is 'trades'; choose one of depth, trade, clear, snapshot, bbo, add, cancel, modify, fill, "
                "or a column"
            ),
        ),
        (
            {"columns": {"kind": {"name": "k"}}},
            "columns.kind has no values; give those of one kind at least, for example trade",
        ),
        (
            {"columns": {"kind": {"name": "k", "trade": ["x"], "ignore": ["x"]}}},
            "columns.kind names the value 'x' twice; one value means one thing",
        ),
        (
            {"columns": {"side": {"name": "s", "buy": ["b"], "sell": ["b"]}}},
            "columns.side names the value 'b' twice; one value means one thing",
        ),
        ({"columns": {"kind": "add"}}, "rows that add orders need columns.order_id"),
        ({"columns": {"symbol": "s"}}, "columns.symbol needs symbol, whose rows to take"),
        ({"file": {"delimiter": "::"}}, "file.delimiter is '::'; give one character"),
        ({"feed_latency_ns": -1}, "feed_latency_ns is -1; give nanoseconds from 0"),
        (
            {"feed_latency_ns": 5, "columns": {"local_ts": {"name": "l", "unit": "s"}}},
            "feed_latency_ns says nothing beside columns.local_ts; leave one of them out",
        ),
    ],
)
def test_values_that_contradict_are_refused(changes, text):
    with pytest.raises(ConfigError) as caught:
        load_mapping(mapping(**changes))
    assert str(caught.value) == f"mapping: {text}"


@pytest.mark.parametrize("data", [b"columns = [", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, data):
    path = tmp_path / "m.toml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_mapping(path)
    assert str(caught.value).startswith(f"{path}: no readable TOML (")


def test_the_documentation_shows_the_example():
    page = (EXAMPLE.parents[2] / "docs" / "data.md").read_text("utf-8")
    assert f"```toml\n{EXAMPLE.read_text('utf-8')}```" in page

"""Reading a run configuration: files, shorthands, overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuefront.cli.runconfig import (
    AssetConfig,
    ConstantLatency,
    InterpolatedLatency,
    LogQueue,
    PartialFill,
    PowerQueue,
    RiskAverseQueue,
    RunConfig,
    RunSettings,
    ValueFees,
)
from queuefront.cli.runfile import load_run_config
from queuefront.core import ConfigError


def read(folder: Path, text: str, *overrides: str) -> RunConfig:
    path = folder / "run.toml"
    path.write_text(text, encoding="utf-8")
    return load_run_config(path, overrides)


def test_no_file_and_no_overrides_is_an_empty_configuration() -> None:
    assert load_run_config(None) == RunConfig(strategy={}, asset=[], run=RunSettings())


def test_every_section_is_read(tmp_path: Path) -> None:
    text = """
        [run]
        sample_every_ns = 1_000_000_000
        [strategy]
        levels = 5
        half_spread = 0.5
        leans = true
        [asset]
        tick_size = "0.1"
        last_trades_capacity = 10
        mask_bad_spans = true
        passport = "limits.toml"
        exchange = "partial-fill"
        [asset.latency]
        kind = "interpolated"
        rounds = "latency.npz"
        [asset.queue]
        kind = "power"
        n = 3.0
        [asset.fees]
        maker = "-0.00005"
        taker = 0.0007
    """
    assert read(tmp_path, text) == RunConfig(
        strategy={"levels": 5, "half_spread": 0.5, "leans": True},
        asset=[
            AssetConfig(
                latency=InterpolatedLatency(rounds="latency.npz"),
                queue=PowerQueue(n=3.0),
                exchange=PartialFill(),
                fees=ValueFees(maker="-0.00005", taker=0.0007),
                tick_size="0.1",
                last_trades_capacity=10,
                mask_bad_spans=True,
                passport="limits.toml",
            )
        ],
        run=RunSettings(sample_every_ns=1_000_000_000),
    )


def test_a_table_for_each_asset_keeps_their_order(tmp_path: Path) -> None:
    config = read(tmp_path, '[[asset]]\nqueue = "log"\n[[asset]]\nqueue = "risk-averse"\n')
    assert [asset.queue for asset in config.asset] == [LogQueue(), RiskAverseQueue()]


def test_an_override_reaches_every_asset_unless_it_names_one(tmp_path: Path) -> None:
    text = "[[asset]]\n[[asset]]\n"
    config = read(tmp_path, text, "latency.entry_ns=1", "asset.latency.response_ns=2", "asset.1.latency.entry_ns=3")
    assert [asset.latency for asset in config.asset] == [
        ConstantLatency(entry_ns=1, response_ns=2),
        ConstantLatency(entry_ns=3, response_ns=2),
    ]


def test_an_override_of_an_absent_asset_makes_it() -> None:
    config = load_run_config(None, ["asset.1.queue=log"])
    assert [asset.queue for asset in config.asset] == [None, LogQueue()]


def test_overrides_are_toml_values_and_otherwise_text() -> None:
    config = load_run_config(
        None, ["strategy.a=1_000", "strategy.b=1.5", "strategy.c=true", "run.sample_every_ns=7", "contract=inverse"]
    )
    assert config.strategy == {"a": 1000, "b": 1.5, "c": True}
    assert config.run.sample_every_ns == 7
    assert config.asset[0].contract == "inverse"


def test_a_later_override_wins() -> None:
    assert load_run_config(None, ["strategy.a=1", "strategy.a=2"]).strategy == {"a": 2}


def test_a_kind_given_as_text_can_get_keys_by_override(tmp_path: Path) -> None:
    config = read(tmp_path, '[asset]\nqueue = "power"\n', "queue.n=2.0")
    assert config.asset[0].queue == PowerQueue(n=2.0)


def test_a_whole_model_can_be_replaced_by_override(tmp_path: Path) -> None:
    config = read(tmp_path, '[asset.queue]\nkind = "power"\nn = 3.0\n', "queue=log")
    assert config.asset[0].queue == LogQueue()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("latency", "--set latency: expected key=value, for example --set latency.entry_ns=5000000"),
        ("=1", "--set =1: expected key=value, for example --set latency.entry_ns=5000000"),
        ("a..b=1", "--set a..b=1: expected key=value, for example --set latency.entry_ns=5000000"),
        ("asset=1", "--set asset=1: names a whole asset; name one key of it, for example asset.latency.entry_ns"),
        ("asset.0=1", "--set asset.0=1: names a whole asset; name one key of it, for example asset.latency.entry_ns"),
    ],
)
def test_an_override_that_is_none_is_refused(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_run_config(None, [override])
    assert str(caught.value) == message


def test_what_is_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, "[asset\n")
    assert str(caught.value) == (
        f"{tmp_path}/run.toml: not TOML: Expected ']' at the end of a table declaration (at line 1, column 7); "
        "mend the line, or see docs/cli.md for an example"
    )


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"run\.toml: not TOML: 'utf-8' codec can't decode"):
        load_run_config(path)


@pytest.mark.parametrize("text", ["asset = 3", "asset = [1]"])
def test_assets_that_are_no_tables_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    value = text.removeprefix("asset = ")
    assert str(caught.value) == (
        f"{tmp_path}/run.toml: asset = {value}: expected a table; write [asset], or [[asset]] for each tape"
    )


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_run_config(tmp_path / "none.toml")

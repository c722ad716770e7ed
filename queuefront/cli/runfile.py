"""The run configuration of `qf backtest`: a TOML file and `--set key=value`, read into typed records.

::

    [run]
    sample_every_ns = 1_000_000_000

    [strategy]                      # passed to the strategy by name
    half_spread_ticks = 20

    [asset]                         # or one [[asset]] a tape
    tick_size = "0.1"               # overrides what the tape says
    last_trades_capacity = 1000

    [asset.latency]
    kind = "constant"
    entry_ns = 10_000_000
    response_ns = 10_000_000

A key is known, or refused with the nearest known one; a refusal names file or option, key, value and how to mend it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from queuefront.cli.refusal import reword, show
from queuefront.cli.runconfig import MODELS, USUAL_KIND, AssetConfig, RunConfig
from queuefront.core import ConfigError

__all__ = ["load_run_config"]


def load_run_config(path: Path | None, overrides: Iterable[str] = ()) -> RunConfig:
    """Read a run configuration and apply `key=value` overrides on top.

    Parameters
    ----------
    path : the TOML file, or None for an empty one.
    overrides : `section.key=value`; a key of an asset may leave out `asset.` and then holds for every asset,
        `asset.1.key` is the second asset's alone. The value is TOML; what is no TOML is taken as text.

    Raises
    ------
    ConfigError
        For a file that is no TOML, an unknown key, a missing one, or a value that does not fit.
    """
    raw = _read_toml(path)
    source = str(path) if path is not None else "--set"
    raw["asset"] = _asset_tables(raw.get("asset", []), source)
    changed = {_override(raw, text): text for text in overrides}
    for asset in raw["asset"]:
        _complete_models(asset)
    try:
        return msgspec.convert(raw, RunConfig)
    except msgspec.ValidationError as e:
        raise ConfigError(reword(str(e), raw, source, changed)) from e


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: not TOML: {e}; mend the line, or see docs/cli.md for an example") from e


def _asset_tables(value: Any, source: str) -> list[dict[str, Any]]:
    tables = [value] if isinstance(value, dict) else value
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigError(f"{source}: asset = {show(value)}: expected a table; write [asset], or [[asset]] for each tape")
    return tables


def _complete_models(asset: dict[str, Any]) -> None:
    """Let `queue = "log"` stand for a table with that kind, and the usual kind be left out."""
    for name in MODELS:
        value = asset.get(name)
        if isinstance(value, str):
            asset[name] = {"kind": value}
        elif isinstance(value, dict) and name in USUAL_KIND:
            value.setdefault("kind", USUAL_KIND[name])


# --- overrides --------------------------------------------------------------------------------------------------------
def _override(raw: dict[str, Any], text: str) -> str:
    """Apply one `key=value` and return the key's path as messages write it."""
    key, is_pair, value_text = text.partition("=")
    parts = key.strip().split(".")
    if not is_pair or not all(parts):
        raise ConfigError(f"--set {text}: expected key=value, for example --set latency.entry_ns=5000000")
    if parts[0] in AssetConfig.__struct_fields__:
        parts = ["asset", *parts]
    value = _toml_value(value_text.strip())
    if parts[0] != "asset":
        _assign(raw, parts, value, text)
        return ".".join(parts)
    assets = raw["asset"] or raw["asset"].append({}) or raw["asset"]
    if len(parts) > 1 and parts[1].isdigit():
        index = int(parts[1])
        assets.extend({} for _ in range(index + 1 - len(assets)))
        _assign(assets[index], parts[2:], value, text)
        return f"asset.{index}." + ".".join(parts[2:])
    for asset in assets:
        _assign(asset, parts[1:], value, text)
    return ".".join(parts)


def _assign(table: dict[str, Any], parts: list[str], value: Any, text: str) -> None:
    if not parts:
        raise ConfigError(f"--set {text}: names a whole asset; name one key of it, for example asset.latency.entry_ns")
    *folders, name = parts
    for part in folders:
        inner = table.get(part)
        if not isinstance(inner, dict):
            inner = {"kind": inner} if isinstance(inner, str) and part in MODELS else {}
            table[part] = inner
        table = inner
    table[name] = value


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text

"""The wording of a refused run configuration: file or option, key, value, and the way to mend it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from queuefront.cli.runconfig import MODELS, AssetConfig, RunConfig, RunSettings

__all__ = ["nearest", "reword", "show"]

_EXAMPLES: Final = {
    "entry_ns": "10_000_000",
    "response_ns": "10_000_000",
    "cancel_ns": "10_000_000",
    "modify_ns": "10_000_000",
    "seed": "1",
    "file": '"my_model.py"',
    "name": '"model"',
    "honest": "true",
    "buyer": "0.001",
    "seller": "0.001",
    "tiers": '[[0, "0.0002", "0.0005"], [1_000_000, "0.0001", "0.0004"]]',
    "funding": '"funding.csv"',
    "balances": '["0.5", "30000"]',
    "depth_range": '["50000", "70000"]',
    "mask_bad_spans": "true",
    "passport": '"limits.toml"',
    "rounds": '"latency.npz"',
    "offset_ns": "0",
    "books_only_filled": "true",
    "n": "3.0",
    "maker": "0.0002",
    "taker": "0.0007",
    "tick_size": '"0.1"',
    "lot_size": '"0.001"',
    "multiplier": "1",
    "contract": '"linear"',
    "last_trades_capacity": "1000",
    "sample_every_ns": "1_000_000_000",
}
_NAMES: Final = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "a table",
    "array": "an array",
}


def reword(message: str, raw: Mapping[str, Any], source: str, changed: Mapping[str, str]) -> str:
    """Return what a user needs to know of a message of msgspec.

    Parameters
    ----------
    message : as msgspec wrote it.
    raw : what was converted.
    source : the file's name.
    changed : the key of each override, with its text.
    """
    return _Refusal(message, raw, source, changed).text()


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name that `name` was probably meant to be, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"choose one of {', '.join(known)}"


def show(value: Any) -> str:
    """Write a value as the configuration would."""
    return msgspec.json.encode(value).decode()


class _Refusal:
    """One message of msgspec, reworded with file or option, key, value and the way to mend it."""

    def __init__(self, message: str, raw: Mapping[str, Any], source: str, changed: Mapping[str, str]) -> None:
        what, _, path = message.partition(" - at `")
        self.what = what
        self.steps: list[str | int] = [int(i) if i.isdigit() else i for i in re.findall(r"\w+|\.\.\.", path.strip("`$"))]
        self.raw = raw
        self.source = source
        self.changed = changed

    def text(self) -> str:
        if match := re.match(r"Object contains unknown field `(.*)`", self.what):
            return self._unknown_key(match[1])
        if match := re.match(r"Object missing required field `(.*)`", self.what):
            return self._missing_key(match[1])
        if self.what.startswith("Invalid value"):
            return self._unknown_kind()
        return self._wrong_value()

    def _unknown_key(self, name: str) -> str:
        known = self._known_keys()
        key = self._key(*self.steps, name)
        return f"{self._place(key)}: {key}: unknown key; {nearest(name, known)}"

    def _missing_key(self, name: str) -> str:
        key = self._key(*self.steps)
        if name == "kind":
            kinds = MODELS[str(self.steps[-1])]
            return f"{self._place(key)}: {key} lacks kind; choose one of {', '.join(kinds)}"
        return f"{self._place(key)}: {key} lacks {name}; add it, for example {_example([name])}"

    def _unknown_kind(self) -> str:
        key, value = self._key(*self.steps), self._value(self.steps)
        kinds = MODELS[str(self.steps[-2])]
        return f"{self._place(key)}: {key} = {show(value)}: no such kind; {nearest(str(value), kinds)}"

    def _wrong_value(self) -> str:
        steps = self.steps
        if steps and steps[-1] == "...":  # a key of [strategy], which msgspec does not name
            table = self._value(steps[:-1])
            steps = [*steps[:-1], next(k for k, v in table.items() if not isinstance(v, bool | int | float))]
        key, value = self._key(*steps), self._value(steps)
        expected = re.sub(r"`([^`]*)`", lambda m: _name_types(m[1]), self.what.partition(", got")[0].lower())
        return f"{self._place(key)}: {key} = {show(value)}: {expected}; write for example {_example(steps)}"

    def _key(self, *steps: str | int) -> str:
        is_alone = len(self.raw.get("asset", [])) == 1
        return ".".join(str(s) for i, s in enumerate(steps) if not (is_alone and i == 1 and steps[0] == "asset"))

    def _place(self, key: str) -> str:
        general = re.sub(r"^asset\.\d+\.", "asset.", key)
        return next((f"--set {self.changed[k]}" for k in (key, general) if k in self.changed), self.source)

    def _value(self, steps: Iterable[str | int]) -> Any:
        value: Any = self.raw
        for step in steps:
            value = value[step]
        return value

    def _model(self) -> type[msgspec.Struct]:
        name = str(self.steps[-1])
        return MODELS[name][self._value(self.steps)["kind"]]

    def _known_keys(self) -> tuple[str, ...]:
        if not self.steps:
            return RunConfig.__struct_fields__
        name = str(self.steps[-1])
        if name in MODELS:
            return ("kind", *self._model().__struct_fields__)
        return RunSettings.__struct_fields__ if name == "run" else AssetConfig.__struct_fields__


def _example(steps: Sequence[str | int]) -> str:
    name = next(str(step) for step in reversed(steps) if isinstance(step, str))
    if name in MODELS:
        return f'{name} = "{next(iter(MODELS[name]))}", or [asset.{name}]'
    if name in ("run", "strategy"):
        return f"[{name}]"
    return f"{name} = {_EXAMPLES.get(name, '1.5')}"


def _name_types(types: str) -> str:
    names = [_NAMES.get(name, name) for name in types.split(" | ") if name != "null"]
    if set(names) >= {"a whole number", "a number"}:
        names.remove("a whole number")
    return " or ".join(names)

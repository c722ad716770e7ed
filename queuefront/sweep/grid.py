"""Grids of parameters: values by name, as Python or as text, and the sets that they span."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from queuefront.core import ConfigError

__all__ = ["SET_COUNT_MAX", "Scalar", "parameter_sets", "read_grid"]

Scalar: TypeAlias = bool | int | float

#: More sets than anyone waits for are a slip of the pen.
SET_COUNT_MAX: Final = 1_000_000

_WORDS: Final = {"true": True, "false": False}


def parameter_sets(grid: Mapping[str, Sequence[Scalar]]) -> list[dict[str, Scalar]]:
    """Return every combination of a grid's values; the last parameter changes fastest.

    Raises
    ------
    ConfigError
        For a parameter without values, or more than a million sets.
    """
    count = 1
    for name, values in grid.items():
        if not len(values):
            raise ConfigError(f"grid: {name} has no values; give at least one")
        count *= len(values)
    if count > SET_COUNT_MAX:
        sizes = " × ".join(f"{len(values):,}" for values in grid.values())
        raise ConfigError(f"grid: {sizes} = {count:,} sets; the limit is {SET_COUNT_MAX:,}: give fewer values")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def read_grid(texts: Iterable[str], option: str = "--grid") -> dict[str, list[Scalar]]:
    """Read texts such as `levels=1,2,3` and `spread=0.1:0.5:0.1`, which is from 0.1 to 0.5 by 0.1, the end included.

    Values with a point anywhere are floats altogether, so that a strategy compiles once and not once a spelling.

    Raises
    ------
    ConfigError
        For a text that is no grid, and for a parameter or value that is given twice.
    """
    grid: dict[str, list[Scalar]] = {}
    for text in texts:
        name, is_pair, values_text = text.partition("=")
        name = name.strip()
        if not is_pair or not name.isidentifier():
            raise ConfigError(f"{option} {text}: expected NAME=VALUES, for example {option} levels=1,2,3")
        if name in grid:
            raise ConfigError(f"{option} {text}: {name} was given before; put all of its values into one {option}")
        grid[name] = _values(values_text, f"{option} {text}", name)
    return grid


def _values(text: str, where: str, name: str) -> list[Scalar]:
    values: list[Scalar] = []
    for item in text.split(","):
        values += _range(item, where, name) if ":" in item else [_scalar(item.strip(), where, name)]
    kinds = {type(value) for value in values}
    if bool in kinds and len(kinds) > 1:
        raise ConfigError(f"{where}: {name} is both a number and true or false; give values of one kind")
    if float in kinds:
        values = [float(value) for value in values]
    if len(set(values)) < len(values):
        twice = next(value for i, value in enumerate(values) if value in values[:i])
        raise ConfigError(f"{where}: {name} has the value {twice} twice; remove one")
    return values


def _range(item: str, where: str, name: str) -> list[Scalar]:
    parts = [_number(part.strip(), where, name) for part in item.split(":")]
    if len(parts) != 3:
        raise ConfigError(f"{where}: {item} is no range of {name}; write FIRST:LAST:STEP, for example 0.1:0.5:0.1")
    first, last, step = parts
    if step == 0 or (last - first) * step < 0:
        raise ConfigError(f"{where}: {item} never comes to {last}; give {name} a STEP that leads from {first} to {last}")
    count = int((last - first) / step) + 1
    if count > SET_COUNT_MAX:
        raise ConfigError(
            f"{where}: {item} has {count:,} values; the limit is {SET_COUNT_MAX:,}: give {name} a larger STEP"
        )
    # By decimal arithmetic, so that 0.1:0.5:0.1 has the 0.3 that one would write.
    steps = [first + i * step for i in range(count)]
    is_whole = all("." not in part and "e" not in part.lower() for part in item.split(":"))
    return [int(value) if is_whole else float(value) for value in steps]


def _scalar(text: str, where: str, name: str) -> Scalar:
    if text in _WORDS:
        return _WORDS[text]
    number = _number(text, where, name)
    return int(number) if text.lstrip("+-").replace("_", "").isdigit() else float(number)


def _number(text: str, where: str, name: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        shown = f"{text!r} is no value" if text else "a value is missing"
        raise ConfigError(f"{where}: {shown} of {name}; write numbers, or true and false, with commas between them")
    return number

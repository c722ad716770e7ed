"""Plan how a line of CSV is scanned, from its columns and from what the first record told: units, symbol and exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from queuefront.core.clock import NS_PER
from queuefront.feed.sources import csv_compiled as steps
from queuefront.feed.sources.csv_columns import TS_MAX, TS_MIN, Column
from queuefront.feed.sources.words_compiled import WORD_BYTES

__all__ = ["ScanPlan"]

Array = npt.NDArray[Any]

_STEPS: Final = {
    "choice": steps.STEP_CHOICE,
    "time": steps.STEP_TIME,
    "seconds": steps.STEP_SECONDS,
    "whole": steps.STEP_WHOLE,
    "price": steps.STEP_PRICE,
    "qty": steps.STEP_QTY,
    "number": steps.STEP_NUMBER,
}
_FIELD_BYTES_MIN: Final = 2  # a character and a comma
_FLOATS: Final = ("price", "qty", "number")


class ScanPlan:
    """The steps along one line.

    Parameters
    ----------
    names : all columns of the file, in order.
    columns, places : those that are wanted, and where each stands.
    units : of the columns of kind `time`.
    same : the text of the columns of kind `same`.
    """

    def __init__(
        self,
        names: Sequence[str],
        columns: Sequence[Column],
        places: Sequence[int],
        units: Mapping[str, str],
        same: Mapping[str, str],
    ) -> None:
        self._texts = bytearray()
        self._choices: list[tuple[int, int, int]] = []
        self._whole = [c.name for c in columns if c.kind != "same" and c.kind not in _FLOATS]
        self._number = [c.name for c in columns if c.kind in _FLOATS]
        column_at = dict(zip(places, columns, strict=True))
        plan: list[list[int]] = []
        for place in range(len(names)):
            column = column_at.get(place)
            if column is None:
                self._skip(plan)
            elif column.kind == "same":
                self._same(plan, same[column.name].encode())
            else:
                plan.append(self._read(column, units))
        optional_count = sum(column.is_optional for column in columns)
        # An optional field may have no character.
        self._record_bytes_min = _FIELD_BYTES_MIN * (len(names) - optional_count) + optional_count
        self._record_bytes_min -= sum(step[steps.PLAN_COUNT] for step in plan if step[0] == steps.STEP_SKIP)
        self._record_bytes_min = max(self._record_bytes_min, 1)
        self._plan = np.array(plan, np.int64)
        self._text_bytes = np.frombuffer(bytes(self._texts) + b"\0" * WORD_BYTES, np.uint8)
        self._choice_table = np.array(self._choices, np.int64).reshape(-1, steps.CHOICE_COLUMNS)

    def scan(self, data: bytes, begin: int) -> tuple[int, int, dict[str, Array]]:
        """Scan whole lines from `begin` on; return where it ended, how many lines it took, and their columns."""
        room = (len(data) - begin) // self._record_bytes_min + 1
        whole = np.empty((len(self._whole), room), np.int64)  # tidy: allow empty: as much as is returned is written
        number = np.empty((len(self._number), room))  # tidy: allow empty: likewise
        end, count = steps.scan_records(
            np.frombuffer(data, np.uint8), begin, self._plan, self._text_bytes, self._choice_table, whole, number
        )
        columns = {name: whole[i, :count] for i, name in enumerate(self._whole)}
        return end, count, columns | {name: number[i, :count] for i, name in enumerate(self._number)}

    def _skip(self, plan: list[list[int]]) -> None:
        if plan and plan[-1][steps.PLAN_STEP] == steps.STEP_SKIP:
            plan[-1][steps.PLAN_COUNT] += 1
        else:
            plan.append([steps.STEP_SKIP, 0, 0, 1, 0, 0, 0, 0])

    def _same(self, plan: list[list[int]], text: bytes) -> None:
        """Compare with a text, together with the comma and the one before where there is one."""
        if plan and plan[-1][steps.PLAN_STEP] == steps.STEP_SAME:
            self._texts += b"," + text
            plan[-1][steps.PLAN_COUNT] += 1 + len(text)
        else:
            plan.append([steps.STEP_SAME, 0, len(self._texts), len(text), 0, 0, 0, 0])
            self._texts += text

    def _read(self, column: Column, units: Mapping[str, str]) -> list[int]:
        names = self._number if column.kind in _FLOATS else self._whole
        first = count = 0
        scale, low, high = 1, 0, 0
        if column.kind == "choice":
            first, count = len(self._choices), len(column.choices)
            for text, code in column.choices.items():
                self._choices.append((len(self._texts), len(text), code))
                self._texts += text
        elif column.kind == "time":
            scale = NS_PER[units[column.name]]
            low, high = TS_MIN // scale, TS_MAX // scale
        elif column.kind == "seconds":
            low, high = (0, 86_400 * NS_PER["s"] - 1) if column.is_since_midnight else (TS_MIN, TS_MAX)
        step = _STEPS[column.kind]
        return [step, names.index(column.name), first, count, scale, low, high, int(column.is_optional)]

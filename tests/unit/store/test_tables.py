from __future__ import annotations

from collections import Counter

import pytest

from queuefront.store import TABLES, Table


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_table_has_each_column_once_and_its_key_among_them(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert max(Counter(names).values()) == 1
    assert set(table.key) <= set(names)
    assert table.meaning


def test_each_table_is_defined_once() -> None:
    assert len({table.name for table in TABLES}) == len(TABLES)

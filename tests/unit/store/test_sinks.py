from __future__ import annotations

from queuefront.store import TABLES
from queuefront.store.sinks import schema_text


def test_the_text_of_a_schema_changes_with_any_column() -> None:
    assert schema_text() == schema_text(TABLES)
    assert schema_text(TABLES[:1]) != schema_text()
    fewer = TABLES[0]._replace(columns=TABLES[0].columns[:-1])
    assert schema_text((fewer, *TABLES[1:])) != schema_text()

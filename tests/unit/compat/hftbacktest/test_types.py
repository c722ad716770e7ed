"""The constants and records have the reference's values."""

import hftbacktest.types as reference
import pytest

from queuefront.compat.hftbacktest import types


@pytest.mark.parametrize("name", [n for n in types.__all__ if n.isupper() and n != "EVENT_ARRAY"])
def test_a_constant_has_the_reference_s_value(name: str) -> None:
    assert getattr(types, name) == getattr(reference, name)


@pytest.mark.parametrize("name", ["event_dtype", "record_dtype", "state_values_dtype"])
def test_a_record_has_the_reference_s_fields_at_its_offsets(name: str) -> None:
    ours, theirs = getattr(types, name), getattr(reference, name)
    assert ours.itemsize == theirs.itemsize
    assert [(n, ours.fields[n]) for n in ours.names] == [(n, theirs.fields[n][:2]) for n in theirs.names]

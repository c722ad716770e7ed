from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from queuefront.kernel.records import Effect, Input, LedgerEntry


@pytest.mark.parametrize("kind", [*get_args(Input), *get_args(Effect), LedgerEntry])
def test_every_record_is_frozen_and_knows_no_float(kind: type[msgspec.Struct]) -> None:
    """F14, E5: prices, lots and cash are integers."""
    assert kind.__struct_config__.frozen
    for field in msgspec.structs.fields(kind):
        assert "float" not in str(field.type)


def test_inputs_have_names_of_their_own() -> None:
    tags = [kind.__struct_config__.tag for kind in get_args(Input)]
    assert len(set(tags)) == len(tags)

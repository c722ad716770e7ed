"""Records: what may be declared, and the layouts that files and shared memory rely on."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.core import dtypes
from queuefront.core.dtypes import REGISTRY, SchemaError, register

#: Sizes and offsets of the records that are stored in files; H3.18, H3.20, H10.9. A change here breaks existing files.
GOLDEN = {
    "event": (64, {"ev": 0, "exch_ts": 8, "local_ts": 16, "px": 24, "qty": 32, "order_id": 40, "ival": 48, "fval": 56}),
    "latency": (32, {"req_ts": 0, "exch_ts": 8, "resp_ts": 16, "padding": 24}),
    "sample": (
        64,
        {
            "timestamp": 0,
            "price": 8,
            "position": 16,
            "balance": 24,
            "fee": 32,
            "num_trades": 40,
            "trading_volume": 48,
            "trading_value": 56,
        },
    ),
}


@pytest.fixture(autouse=True)
def _keep_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dtypes, "REGISTRY", dict(REGISTRY))


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_stored_record_keeps_its_layout(name: str) -> None:
    itemsize, offsets = GOLDEN[name]
    assert REGISTRY[name].itemsize == itemsize
    assert {field: info[1] for field, info in (REGISTRY[name].fields or {}).items()} == offsets


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_record_is_packed_and_little_endian(name: str) -> None:
    """H3.1, H3.31, H10.2."""
    dtype = REGISTRY[name]
    kinds = [dtype[field] for field in dtype.names or ()]
    assert sum(kind.itemsize for kind in kinds) == dtype.itemsize
    assert all(kind.str[0] in "<|" and not kind.hasobject for kind in kinds)


def test_the_event_and_latency_records_are_hftbacktests() -> None:
    types = pytest.importorskip("hftbacktest.types", reason="the oracle is not installed")
    assert REGISTRY["event"].descr == types.event_dtype.descr
    assert [kind for _, kind in REGISTRY["event"].descr] == [kind for _, kind in types.event_dtype.descr]


def test_a_declared_record_can_be_looked_up_by_its_name() -> None:
    dtype = register("mine", [("a", "i8"), ("b", "u1")], itemsize=9)
    assert dtype == np.dtype([("a", "<i8"), ("b", "|u1")])
    assert dtypes.REGISTRY["mine"] is dtype


@pytest.mark.parametrize(
    ("fields", "itemsize", "message"),
    [
        ([], 0, "record 'mine': it has no fields; name at least one"),
        ([("", "i8")], 8, "record 'mine': '' is not a usable field name; use an identifier"),
        ([("class", "i8")], 8, "record 'mine': 'class' is not a usable field name; use an identifier"),
        ([("a", "i8"), ("a", "i8")], 16, "record 'mine': field 'a' stands twice; rename one"),
        (
            [("a", "O")],
            8,
            "record 'mine', field 'a': type 'O' is not one of i1, i2, i4, i8, u1, u2, u4, u8, f4, f8",
        ),
        (
            [("a", "int")],
            8,
            "record 'mine', field 'a': type 'int' is not one of i1, i2, i4, i8, u1, u2, u4, u8, f4, f8",
        ),
        (
            [("a", "U4")],
            16,
            "record 'mine', field 'a': type 'U4' is not one of i1, i2, i4, i8, u1, u2, u4, u8, f4, f8",
        ),
        (
            [("a", "i8")],
            4,
            "record 'mine': 8 bytes where 4 were declared; bump the schema version of what stores it, then the golden size",
        ),
    ],
)
def test_a_record_that_cannot_be_stored_safely_is_refused(
    fields: list[tuple[str, str]], itemsize: int, message: str
) -> None:
    """H10.1, H10.4, H10.16, H10.18."""
    with pytest.raises(SchemaError) as caught:
        register("mine", fields, itemsize=itemsize)
    assert str(caught.value) == message
    assert "mine" not in dtypes.REGISTRY

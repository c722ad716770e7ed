"""Bytes of inputs and of states: one encoding and one decoding each, and a hash of what they mean.

An input is a MessagePack array of its fields behind the name of its kind; the same input gives the same bytes. A
state, for snapshots, is JSON, because sums of cash may pass 64 bits. Unknown or missing fields are refused on reading, and
a journal carries the hash of the schema that wrote it, so that an older reader says so instead of guessing (F14, F14a).
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Any, Final, get_args

import msgspec
from immutables import Map

from queuefront.kernel.errors import JournalError
from queuefront.kernel.records import Config, Input, Spec
from queuefront.kernel.state import Book, Due, Fields, Holding, Order, Parked, Recent, Slot, State

__all__ = ["SCHEMA_HASH", "decode_config", "decode_input", "decode_state", "encode_config", "encode_input", "encode_state"]

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Input] = msgspec.msgpack.Decoder(Input)


def encode_input(entry: Input) -> bytes:
    """Return the bytes of an input.

    Raises
    ------
    JournalError
        If a number does not fit into 64 bits: it cannot have come from a market.
    """
    try:
        return _encoder.encode(entry)
    except OverflowError as e:
        raise JournalError(f"{entry!r} holds a number beyond 64 bits; refuse it where it is read") from e


def decode_input(payload: bytes, where: str) -> Input:
    """Return the input of some bytes; `where` names them in an error."""
    try:
        return _decoder.decode(payload)
    except (msgspec.ValidationError, msgspec.DecodeError) as e:
        raise JournalError(f"{where}: not an input of this version: {e}") from e


def encode_config(config: Config) -> bytes:
    """Return the bytes of a configuration."""
    return msgspec.json.encode(config)


def decode_config(payload: bytes, where: str) -> Config:
    """Return the configuration of some bytes."""
    try:
        return msgspec.json.decode(payload, type=Config)
    except (msgspec.ValidationError, msgspec.DecodeError) as e:
        raise JournalError(f"{where}: not a configuration of this version: {e}") from e


class _Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A state as it is stored: maps are sorted pairs or lists of their values."""

    values: dict[str, Any]
    specs: list[Spec]
    slots: list[Slot]
    orders: list[Order]
    pending: list[Due]
    holdings: list[Holding]
    books: list[Book]
    parked: list[Parked]
    maps: dict[str, list[tuple[Any, Any]]]
    recent: dict[str, tuple[list[tuple[str, int]], list[tuple[str, int]]]]


_PLAIN: Final = tuple(name for name, kind in Fields.__annotations__.items() if str(kind) in ("int", "bool", "str"))
_MAPS: Final = ("venue_ids", "live", "retired", "counters")
_RECENT: Final = ("trades", "intents", "account_events")


def encode_state(state: State) -> bytes:
    """Return the bytes of a state; equal states give equal bytes."""
    saved = _Saved(
        values={
            **{name: getattr(state, name) for name in _PLAIN},
            "limits": msgspec.to_builtins(state.limits),
        },
        specs=_sorted(state.specs),
        slots=_sorted(state.slots),
        orders=_sorted(state.orders),
        pending=_sorted(state.pending),
        holdings=_sorted(state.holdings),
        books=_sorted(state.books),
        parked=list(state.parked),
        maps={name: sorted(getattr(state, name).items()) for name in _MAPS},
        recent={name: _recent(getattr(state, name)) for name in _RECENT},
    )
    return msgspec.json.encode(msgspec.to_builtins(saved, str_keys=True))


def _sorted(values: Map[Any, Any]) -> list[Any]:
    return [values[key] for key in sorted(values)]


def _recent(recent: Recent) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    return sorted(recent.young.items()), sorted(recent.old.items())


def decode_state(payload: bytes, config: Config, where: str) -> State:
    """Return the state of some bytes."""
    try:
        saved = msgspec.json.decode(payload, type=_Saved)
        limits = msgspec.convert(saved.values.pop("limits"), type(config.limits))
        values: dict[str, Any] = {
            **saved.values,
            **{name: Map(saved.maps[name]) for name in _MAPS},
            **{name: Recent(Map(young), Map(old)) for name, (young, old) in saved.recent.items()},
        }
        return State(
            config=config,
            limits=limits,
            specs=Map({spec.name: spec for spec in saved.specs}),
            slots=Map({slot.slot_id: slot for slot in saved.slots}),
            orders=Map({order.key: order for order in saved.orders}),
            pending=Map({due.key * 2 + due.is_fills: due for due in saved.pending}),
            holdings=Map({holding.instrument: holding for holding in saved.holdings}),
            books=Map({book.currency: book for book in saved.books}),
            parked=tuple(saved.parked),
            **values,
        )
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError, TypeError) as e:
        raise JournalError(f"{where}: not a state of this version: {e}") from e


def _describe(kind: Any, seen: dict[str, str]) -> None:
    """Write down a type and all that it is made of."""
    for part in get_args(kind):
        _describe(part, seen)
    if not isinstance(kind, type) or kind.__name__ in seen:
        return
    if issubclass(kind, IntEnum):
        seen[kind.__name__] = ",".join(f"{member.name}={member.value}" for member in kind)
    elif issubclass(kind, msgspec.Struct):
        seen[kind.__name__] = ""
        fields = msgspec.structs.fields(kind)
        seen[kind.__name__] = f"{kind.__struct_config__.tag}:" + ",".join(f"{f.name}:{f.type}" for f in fields)
        for field in fields:
            _describe(field.type, seen)


def _schema_hash() -> str:
    seen: dict[str, str] = {}
    for kind in (Input, Config, Fields, Recent):
        _describe(kind, seen)
    text = "\n".join(f"{name} {seen[name]}" for name in sorted(seen))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


#: Changes whenever a stored record does.
SCHEMA_HASH: Final = _schema_hash()

from __future__ import annotations

from typing import Any

import pytest

from queuefront.paper.errors import _BOTH, _FUTURES, _SPOT, ApiError, refusal
from tests.venue_data import DATA, load, needs_data

#: What the files' texts name where the venue puts its own values.
VALUES = {
    "too many requests": ("6000",),
    "banned": ("1700000000000",),
    "too many orders": (50, "10 SECOND"),
    "filter": ("LOT_SIZE",),
    "notional": ("100",),
}


def worded(*, is_spot: bool) -> set[tuple[int, int, str]]:
    """Return every refusal of a venue with the values of the files."""
    found = set()
    for name in {**_BOTH, **(_SPOT if is_spot else _FUTURES)}:
        for values in (
            (VALUES.get(name, ("x", "x")), ("NOTIONAL",)) if name == "filter" else (VALUES.get(name, ("x", "x")),)
        ):
            e = refusal(name, *values, is_spot=is_spot)
            found.add((e.status, e.code, e.text))
    return found


@needs_data
def test_every_error_body_of_the_files_is_worded_alike() -> None:
    items = [item for item in load("error_bodies.json")["items"] if item["venue"].startswith("binance")]
    missing = [
        item["body"]
        for item in items
        if (item["http_status"], item["body"]["code"], item["body"]["msg"])
        not in worded(is_spot=item["venue"] == "binance_spot")
    ]
    assert len(items) > 20
    assert missing == []


@needs_data
def test_every_code_is_one_that_the_venue_documents() -> None:
    spot = {row["code"] for row in load("binance_spot/errors.json")["codes"]} | {
        -1013,
        -2010,
        -2011,
        -2038,
    }  # of the matching engine
    futures = {row["code"] for row in load("binance_usdm/errors.json")}
    assert {code for _, code, _ in _SPOT.values()} <= spot
    assert {code for _, code, _ in _FUTURES.values()} <= futures
    assert {code for name, (_, code, _) in _BOTH.items() if name not in ("path", "window")} <= spot | futures
    assert DATA.is_dir()


@pytest.mark.parametrize(
    ("name", "is_spot", "status", "code", "text"),
    [
        ("duplicate", True, 400, -2010, "Duplicate order sent."),
        ("duplicate", False, 400, -4116, "ClientOrderId is duplicated."),
        ("symbol", True, 400, -1121, "Invalid symbol."),
        ("path", False, 404, -5000, "Path a, Method b is invalid"),
        ("leverage", False, 400, -4028, "Leverage a is not valid"),
        ("characters in", True, 400, -1100, "Illegal characters found in parameter 'a'; legal range is 'b'."),
    ],
)
def test_a_refusal_is_found_by_its_name(name: str, is_spot: bool, status: int, code: int, text: str) -> None:
    e = refusal(name, "a", "b", is_spot=is_spot, retry_after_s=3)
    assert (e.status, e.code, e.text, e.retry_after_s, str(e)) == (status, code, text, 3, f"{code}: {text}")


def test_every_text_takes_its_values() -> None:
    texts: list[Any] = [*_BOTH.values(), *_SPOT.values(), *_FUTURES.values()]
    assert all(isinstance(ApiError(*row), ApiError) for row in texts)

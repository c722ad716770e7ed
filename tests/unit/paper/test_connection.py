from __future__ import annotations

import json
from typing import Any

import pytest

from queuefront.paper import Fault, FaultKind
from queuefront.paper.connection import OUTBOX_MAX, Connection
from queuefront.paper.faults import FaultPlan
from tests.paper_market import SECOND, frames


def connection(*faults: Fault, **options: Any) -> Connection:
    made = Connection(FaultPlan(faults), **options)
    made.streams = {"a": None}
    return made


def sent(made: Connection, count: int = 1, **payload: Any) -> list[bytes]:
    for n in range(count):
        made.send("a", payload or {"n": n}, 0)
    return list(made.outbox)


METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"method":"SUBSCRIBE","params":["b"],"id":1}', {"result": None, "id": 1}),
        ('{"method":"UNSUBSCRIBE","params":["a"],"id":"x"}', {"result": None, "id": "x"}),
        ('{"method":"LIST_SUBSCRIPTIONS","id":2}', {"result": ["a"], "id": 2}),
        ('{"method":"GET_PROPERTY","params":["combined"],"id":2}', {"result": False, "id": 2}),
        ('{"method":"SET_PROPERTY","params":["combined",true],"id":2}', {"result": None, "id": 2}),
        ('{"method":"SET_PROPERTY","params":["combined",1],"id":2}',
         {"error": {"code": 1, "msg": "Invalid value type: expected Boolean"}, "id": 2}),
        ('{"method":"SET_PROPERTY","params":["x"],"id":2}', {"error": {"code": 0, "msg": "Unknown property"}, "id": 2}),
        ("{", {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}, "id": None}),
        ("[" * 100_000, {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}, "id": None}),
        ("[]", {"error": {"code": 2, "msg": "Invalid request: expected a JSON object"}, "id": None}),
        ('{"id":1.5}',
         {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}, "id": None}),
        ('{"id":1}', {"error": {"code": 2, "msg": "Invalid request: missing field `method`"}, "id": 1}),
        ('{"method":"X","id":1}',
         {"error": {"code": 2, "msg": f"Invalid request: unknown variant `X`, expected one of {METHODS}"}, "id": 1}),
        ('{"method":"SUBSCRIBE","params":{},"id":1}',
         {"error": {"code": 2, "msg": "Invalid request: params must be an array"}, "id": 1}),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}',
         {"error": {"code": 2, "msg": "Invalid request: stream name must be a string"}, "id": 1}),
        (json.dumps({"method": "SUBSCRIBE", "params": [str(n) for n in range(1024)], "id": 1}),
         {"error": {"code": 2, "msg": "Invalid request: too many parameters"}, "id": 1}),
    ],
)  # fmt: skip
def test_a_control_message_is_answered(text: str, answer: Any) -> None:
    made = connection()
    made.receive(text, 0)
    assert frames(made) == [answer]


def test_subscriptions_follow_the_messages() -> None:
    made = connection()
    made.receive('{"method":"SUBSCRIBE","params":["b","c"],"id":1}', 0)
    made.receive('{"method":"UNSUBSCRIBE","params":["a","zz"],"id":1}', 0)
    assert list(made.streams) == ["b", "c"]


def test_who_says_too_much_in_a_second_is_disconnected() -> None:
    made = connection(control_limit_per_s=2)
    for now_ns in (0, 1, SECOND, SECOND + 1):
        made.receive('{"method":"LIST_SUBSCRIPTIONS","id":2}', now_ns)
    assert made.close_reason is None
    made.receive("{}", SECOND + 2)
    assert made.close_reason == "too many messages"


def test_a_combined_frame_says_of_which_stream_it_is() -> None:
    assert sent(connection(is_combined=True)) == [b'{"stream":"a","data":{"n":0}}']
    assert sent(connection()) == [b'{"n":0}']


@pytest.mark.parametrize(
    ("route", "carried"),
    [
        ("", ["x@depth", "x@bookTicker", "!bookTicker", "x@trade", "x@aggTrade", "x@markPrice"]),
        ("public", ["x@depth", "x@bookTicker", "!bookTicker", "x@trade"]),
        ("market", ["x@trade", "x@aggTrade", "x@markPrice"]),
        ("private", []),
    ],
)
def test_a_stream_is_mute_on_a_route_that_is_not_its_own(route: str, carried: list[str]) -> None:
    made = connection(route=route)
    every = ["x@depth", "x@bookTicker", "!bookTicker", "x@trade", "x@aggTrade", "x@markPrice"]
    made.streams = dict.fromkeys(every)
    assert [name for name in every if made.carries(name)] == carried
    assert not made.carries("other")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(FaultKind.DROP, count=1), ["1", "2"]),
        (Fault(FaultKind.DUPLICATE, count=1), ["0", "0", "1", "2"]),
        (Fault(FaultKind.REORDER, count=1), ["1", "0", "2"]),
        (Fault(FaultKind.REORDER, count=2), ["1", "0", "2"]),
        (Fault(FaultKind.DELAY, count=1, ms=50), ["1", "2"]),
        (Fault(FaultKind.SKIP_DEPTH, count=1), ["0", "1", "2"]),
        (Fault(FaultKind.DROP, target="b"), ["0", "1", "2"]),
    ],
)
def test_a_fault_befalls_a_frame(fault: Fault, expected: list[str]) -> None:
    assert [frame.decode()[5:-1] for frame in sent(connection(fault), 3)] == expected


def test_a_delayed_frame_comes_when_its_time_is_there() -> None:
    made = connection(Fault(FaultKind.DELAY, ms=50))
    sent(made, 2)
    made.release(49_999_999)
    assert not made.outbox
    made.release(50_000_000)
    assert [frame["n"] for frame in frames(made)] == [0, 1]


def test_a_depth_update_is_skipped_and_nothing_else() -> None:
    made = connection(Fault(FaultKind.SKIP_DEPTH))
    assert sent(made, e="depthUpdate") == []
    assert sent(made, e="trade") == [b'{"e":"trade"}']


def test_a_malformed_frame_is_cut_off() -> None:
    assert sent(connection(Fault(FaultKind.MALFORMED_FRAME)), abc=123) == [b'{"abc']


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"e": "x", "o": {"X": "NEW", "s": "S"}}, {"e": "x", "o": {"X": "PAPER_UNKNOWN", "s": "S"}}),
        ({"e": "trade", "X": "MARKET"}, {"e": "trade", "X": "PAPER_UNKNOWN"}),
        ({"e": "trade"}, {"e": "paperUnknownEvent"}),
    ],
)
def test_an_unknown_word_stands_where_clients_look(payload: Any, expected: Any) -> None:
    made = connection(Fault(FaultKind.UNKNOWN_ENUM))
    sent(made, **payload)
    assert frames(made) == [expected]


def test_a_disconnect_ends_the_connection_in_place_of_the_frame() -> None:
    made = connection(Fault(FaultKind.DISCONNECT, count=1))
    assert sent(made, 2) == []
    assert made.close_reason == "disconnected by a fault"
    made.close("again")
    assert made.close_reason == "disconnected by a fault"


def test_a_client_that_does_not_read_is_disconnected() -> None:
    made = connection()
    assert len(sent(made, OUTBOX_MAX)) == OUTBOX_MAX
    assert made.close_reason is None
    assert len(sent(made)) == OUTBOX_MAX
    assert made.close_reason == "the client does not read"


def test_an_answer_of_the_websocket_api_is_sent_without_faults() -> None:
    made = connection(Fault(FaultKind.DROP))
    made.send_answer({"id": 1})
    assert frames(made) == [{"id": 1}]


def test_a_connection_ends_at_its_age_limit() -> None:
    own = Connection(FaultPlan(), opened_ns=5 * SECOND)
    own.close_what_is_over(64 * SECOND, 60, 600)
    assert own.close_reason is None
    own.close_what_is_over(65 * SECOND, 60, 600)
    assert own.close_reason == "the connection is as old as it may become"


def test_a_connection_whose_client_leaves_pings_without_an_answer_ends() -> None:
    own = Connection(FaultPlan())
    assert [own.wants_ping(second * SECOND, 20) for second in (19, 20, 39, 40)] == [False, True, False, True]
    own.pong()
    own.close_what_is_over(200 * SECOND, 1e6, 60)
    assert own.close_reason is None
    assert own.wants_ping(200 * SECOND, 20)
    assert own.wants_ping(220 * SECOND, 20)  # the first question counts
    own.close_what_is_over(259 * SECOND, 1e6, 60)
    assert own.close_reason is None
    own.close_what_is_over(260 * SECOND, 1e6, 60)
    assert own.close_reason == "a ping was not answered"

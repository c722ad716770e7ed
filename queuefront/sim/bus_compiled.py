"""The order bus: two first-in-first-out rings of ORDER messages, one in each direction.

Messages never overtake: one is due no earlier than the one before it (spec B3.4). Positions count up for ever; a ring's
size is a power of two, and it doubles when it is full.
"""

from __future__ import annotations

import numpy as np

from queuefront.bot import copy_message, copy_order
from queuefront.core.dtypes import ORDER
from queuefront.core.jit import borrowing, internal

__all__ = ["NEVER", "due_request", "due_response", "later", "push_request", "push_response"]

NEVER = np.iinfo(np.int64).max


@borrowing
def later(now, duration):
    """Return the time a duration >= 0 from now; at most NEVER, which nothing reaches (D20)."""
    return NEVER if duration > NEVER - now else now + duration


@internal
def _grown(ring, head, tail):
    """Return a ring of twice the size with the same messages at the same positions."""
    size = len(ring)
    larger = np.zeros(2 * size, ORDER)
    for position in range(head, tail):
        copy_order(larger[position & (2 * size - 1)], ring[position & (size - 1)])
    return larger


@borrowing
def _put(ring, head, tail, message, wanted_ts):
    """Copy a message behind the last one; returns its place."""
    mask = len(ring) - 1
    due = max(wanted_ts, ring["due_ts"][(tail - 1) & mask]) if tail > head else max(wanted_ts, 0)
    place = tail & mask
    copy_message(ring[place], message)
    ring["due_ts"][place] = due
    return place


@internal
def _grow_requests(a, head, tail):
    a.requests = _grown(a.requests, head, tail)


@borrowing
def push_request(a, message, wanted_ts):
    """Queue a copy of an ORDER record for the exchange, to arrive at `wanted_ts` or with the one before it.

    Returns its place.
    """
    state = a.state[0]
    head, tail = state["request_head"], state["request_tail"]
    if tail - head == len(a.requests):
        _grow_requests(a, head, tail)
    state["request_tail"] = tail + 1
    return _put(a.requests, head, tail, message, wanted_ts)


@internal
def _grow_responses(a, head, tail):
    a.responses = _grown(a.responses, head, tail)


@borrowing
def push_response(a, message, wanted_ts):
    """Queue a copy of an ORDER record for the local half, to arrive at `wanted_ts` or with the one before it.

    Returns its place.
    """
    state = a.state[0]
    head, tail = state["response_head"], state["response_tail"]
    if tail - head == len(a.responses):
        _grow_responses(a, head, tail)
    state["response_tail"] = tail + 1
    return _put(a.responses, head, tail, message, wanted_ts)


@borrowing
def due_request(a):
    """Return when the next request arrives, or NEVER."""
    state = a.state[0]
    head = state["request_head"]
    if head == state["request_tail"]:
        return NEVER
    return a.requests["due_ts"][head & (len(a.requests) - 1)]


@borrowing
def due_response(a):
    """Return when the next response arrives, or NEVER."""
    state = a.state[0]
    head = state["response_head"]
    if head == state["response_tail"]:
        return NEVER
    return a.responses["due_ts"][head & (len(a.responses) - 1)]

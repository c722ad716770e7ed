"""Order latency models: how long a request takes to the exchange, and its answer back (spec B5).

A negative entry latency is a technical rejection: the request never reaches the exchange and we learn of it after the
absolute value. The interpolated model reads measured round trips in time order, so that a cursor only moves forward. Round
trips that the exchange refused carry `exch_ts <= 0`; requests between one of them and its neighbours are refused. Unlike
hftbacktest's, a refused row at either end is a refusal too (D29), and answers are interpolated between the answered rows
alone (D28). The sampled model draws measured latencies at random.
"""

from __future__ import annotations

import numpy as np

from queuefront.core.enums import CANCELED, LATENCY_CONSTANT, LATENCY_SAMPLED, REPLACED
from queuefront.core.jit import borrowing

__all__ = ["entry_latency", "response_latency"]


@borrowing
def _interpolate(u, u1, y1, u2, y2):
    # Division first, then product, truncated toward zero (spec B5.4), so that results agree to the nanosecond.
    return np.int64(np.trunc(float(y2 - y1) / float(u2 - u1) * float(u - u1))) + y1


@borrowing
def _entry_of_row(row):
    if row["exch_ts"] > 0:
        return row["exch_ts"] - row["req_ts"]
    return -(row["resp_ts"] - row["req_ts"])


@borrowing
def _draw(state, samples):
    """Return one of the samples at random; the state's two seeds move on.

    L'Ecuyer's combined generator (Communications of the ACM 31, 1988, figure 3): all products fit into int64.
    """
    state["random_0"] = 40_014 * state["random_0"] % 2_147_483_563
    state["random_1"] = 40_692 * state["random_1"] % 2_147_483_399
    return samples[(state["random_0"] - state["random_1"]) % 2_147_483_562 % len(samples)]


@borrowing
def entry_latency(spec, state, rows, samples, req, now):
    """Return the latency of a request made at `now`, ns; negative if it is technically rejected.

    spec, state : ASSET_SPEC and ASSET_STATE records; the state's cursor and seeds are moved.
    rows : LATENCY[n], n > 0 if interpolated.   samples : int64[n], n > 0 if sampled.   req : NEW, CANCELED or REPLACED.
    """
    if spec["latency_model"] == LATENCY_CONSTANT:
        if req == CANCELED:
            return spec["cancel_latency_ns"]
        return spec["modify_latency_ns"] if req == REPLACED else spec["entry_latency_ns"]
    if spec["latency_model"] == LATENCY_SAMPLED:
        return _draw(state, samples)
    if rows[0]["req_ts"] > now:
        return _entry_of_row(rows[0])
    i = state["entry_latency_row"]
    while i + 1 < len(rows) and rows[i + 1]["req_ts"] <= now:
        i += 1
    state["entry_latency_row"] = i
    if i + 1 >= len(rows):
        return _entry_of_row(rows[i])
    a, b = rows[i], rows[i + 1]
    if a["exch_ts"] > 0 and b["exch_ts"] > 0:
        return _interpolate(now, a["req_ts"], a["exch_ts"] - a["req_ts"], b["req_ts"], b["exch_ts"] - b["req_ts"])
    return -_interpolate(now, a["req_ts"], a["resp_ts"] - a["req_ts"], b["req_ts"], b["resp_ts"] - b["req_ts"])


@borrowing
def response_latency(spec, state, rows, samples, now):
    """Return the latency of an answer given at `now`, ns. rows : LATENCY[n], the answered ones."""
    if spec["latency_model"] == LATENCY_CONSTANT:
        return spec["response_latency_ns"]
    if spec["latency_model"] == LATENCY_SAMPLED:
        return _draw(state, samples)
    if len(rows) == 0:
        return np.int64(0)
    if rows[0]["exch_ts"] > now:
        return rows[0]["resp_ts"] - rows[0]["exch_ts"]
    i = state["response_latency_row"]
    # After the end of the data the clock may lie behind answers that were given already (D23).
    while rows[i]["exch_ts"] > now:
        i -= 1
    while i + 1 < len(rows) and rows[i + 1]["exch_ts"] <= now:
        i += 1
    state["response_latency_row"] = i
    if i + 1 >= len(rows):
        return rows[i]["resp_ts"] - rows[i]["exch_ts"]
    a, b = rows[i], rows[i + 1]
    return _interpolate(now, a["exch_ts"], a["resp_ts"] - a["exch_ts"], b["exch_ts"], b["resp_ts"] - b["exch_ts"])

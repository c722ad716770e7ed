"""A latency model of one's own: our gateway takes requests one at a time, so that a burst of them queues up.

Each request needs `SERVICE` at the gateway. One that comes while others wait is late by all of them: canceling and sending
twenty orders at once costs the last one much more than the first. No table of measured latencies shows that.

Run it:  qf backtest examples/grid.py --tape FILE.tape --out DIR --config examples/models/models.toml
"""

import numpy as np
from numba import njit

from queuefront import OwnLatency

BASE, SERVICE, RESPONSE = 0, 1, 2  # places in params, ns
ORIGIN, FREE_AT = 0, 1  # places in memory


@njit
def entry(now, req, memory, params):
    """Wait until the gateway is free, then travel."""
    if memory[ORIGIN] == 0.0:
        memory[ORIGIN] = now
    # Memory is float64, which holds whole nanoseconds for 100 days but not since 1970: count from the first request.
    since = float(now - np.int64(memory[ORIGIN]))
    start = max(since, memory[FREE_AT])
    memory[FREE_AT] = start + params[SERVICE]
    return params[BASE] + memory[FREE_AT] - since


@njit
def response(now, memory, params):
    """Answers come on a line of their own."""
    return params[RESPONSE]


model = OwnLatency(entry, response, params=[2_000_000, 50_000, 2_000_000])

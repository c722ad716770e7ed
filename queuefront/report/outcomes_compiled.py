"""Follow every submission from its request to the last answer."""

from __future__ import annotations

import numpy as np

from queuefront.bot import EMPTY, new_table, table_find, table_insert
from queuefront.core.enums import NEW, NONE
from queuefront.core.jit import compiled

__all__ = ["follow_submissions"]


@compiled
def follow_submissions(changes):
    """Return (requested_ts, processed_ts, answered_ts, has_execution, status) of every submission, in their order.

    changes : ORDER_CHANGE[n], as they happened; an id that is submitted again is another order.
    Times are int64 ns: sent by us, first answer made at the exchange (0: none), and known here; status uint8, the last one
    answered.
    """
    count = 0
    for row in range(len(changes)):
        if changes[row]["is_response"] == 0 and changes[row]["req"] == NEW:
            count += 1
    requested, processed, answered = np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.int64)
    has_execution, status = np.zeros(count, np.bool_), np.full(count, NONE, np.uint8)
    is_answered = np.zeros(count, np.bool_)
    # Of each id that was submitted: its latest submission.
    table, ids, latest = new_table(count), np.zeros(count, np.int64), np.zeros(count, np.int64)
    id_count = 0
    number = -1
    for row in range(len(changes)):
        change = changes[row]
        position = table_find(table, ids, change["order_id"])
        if change["is_response"] == 0:
            if change["req"] != NEW:
                continue
            if position == EMPTY:
                position = id_count
                table_insert(table, ids, change["order_id"], position)
                id_count += 1
            number += 1
            latest[position] = number
            requested[number] = change["local_ts"]
        elif position != EMPTY:
            k = latest[position]
            if not is_answered[k]:
                is_answered[k] = True
                processed[k] = max(change["exch_ts"], 0)
                answered[k] = change["local_ts"]
            has_execution[k] |= change["exec_lots"] > 0
            status[k] = change["status"]
    return requested, processed, answered, has_execution, status

"""What became of the submitted orders."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core import FILL, ORDER_CHANGE, SchemaMismatchError
from queuefront.core.enums import CANCELED, EXPIRED, FILLED, NEW, NONE, PARTIALLY_FILLED
from queuefront.report.outcomes import count_outcomes

IDS = (7, -7, 2**62, 2**62 + 16, 0)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.booleans(),
        st.sampled_from((NEW, CANCELED)),
        st.sampled_from((NEW, FILLED, PARTIALLY_FILLED, CANCELED, EXPIRED)),
        st.integers(0, 2),
        st.sampled_from((0, 5, 9)),
    ),
    max_size=40,
)


@given(ROWS)
def test_the_counts_are_those_of_a_list_of_orders(rows: list[tuple[int, bool, int, int, int, int]]) -> None:
    changes = np.zeros(len(rows), ORDER_CHANGE)
    submissions: list[dict] = []
    latest: dict[int, dict] = defaultdict(dict)
    for i, (order_id, is_response, request, status, lots, exch_ts) in enumerate(rows):
        row = changes[i]
        row["order_id"], row["is_response"], row["req"], row["status"] = order_id, is_response, request, status
        row["exec_lots"], row["exch_ts"], row["local_ts"] = lots * is_response, exch_ts * is_response, 10 * (i + 1)
        if not is_response and request == NEW:
            latest[order_id] = {"sent": 10 * (i + 1), "status": NONE, "has_execution": False}
            submissions.append(latest[order_id])
        elif is_response and latest[order_id]:
            order = latest[order_id]
            order.setdefault("answer", (exch_ts, 10 * (i + 1)))
            order["status"] = status
            order["has_execution"] |= lots > 0
    outcomes = count_outcomes(changes)
    statuses = [order["status"] for order in submissions]
    assert outcomes.submitted == len(submissions)
    assert outcomes.filled == statuses.count(FILLED)
    assert (outcomes.canceled, outcomes.expired) == (statuses.count(CANCELED), statuses.count(EXPIRED))
    assert outcomes.partly_filled == sum(o["has_execution"] and o["status"] != FILLED for o in submissions)
    answered = [(o["sent"], *o["answer"]) for o in submissions if o.get("answer", (0,))[0] > 0]
    assert outcomes.answered == len(answered)
    if answered:
        assert outcomes.mean_entry_latency_ns == pytest.approx(np.mean([exch - sent for sent, exch, _ in answered]))
        assert outcomes.mean_response_latency_ns == pytest.approx(np.mean([known - exch for _, exch, known in answered]))


def test_records_of_another_kind_are_refused() -> None:
    with pytest.raises(SchemaMismatchError, match="ORDER_CHANGE"):
        count_outcomes(np.zeros(1, FILL))

"""The id table equals a dictionary, for ids that collide and for removals in any order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queuefront.bot import EMPTY, new_table, table_find, table_insert, table_remove
from queuefront.core.jit import compiled

FIND, INSERT, REMOVE = range(3)
CAPACITY = 8  # a table of 16 slots, so that ids collide and probes wrap around

#: Ids with the same home, neighbours, and the limits of 64 bits.
IDS = (*range(6), 15, 16, 31, 32, 1 << 17, 1 << 37, (1 << 37) + 1, 2**63 - 1, -(2**63), -1, -2, -16)


@compiled
def play(operations, capacity, found):
    """Apply (operation, id, position) rows to one table; found : int64[rows], filled with where each id is afterwards."""
    table, ids = new_table(capacity), np.zeros(capacity, np.int64)
    for i in range(len(operations)):
        operation, order_id, position = operations[i, 0], operations[i, 1], operations[i, 2]
        if operation == INSERT:
            table_insert(table, ids, order_id, position)
        elif operation == REMOVE:
            table_remove(table, ids, order_id)
        found[i] = table_find(table, ids, order_id)
    return table


def played(operations: list[tuple[int, int, int]], capacity: int = CAPACITY) -> tuple[list[int], np.ndarray]:
    found = np.zeros(len(operations), np.int64)
    table = play(np.array(operations, np.int64).reshape(-1, 3), capacity, found)
    return found.tolist(), table


def valid_operations(ids: list[int], capacity: int) -> tuple[list[tuple[int, int, int]], list[int]]:
    """Turn ids into operations that a table allows, each followed by a look at every id; and what a dictionary finds."""
    operations, wanted = [], []
    positions: dict[int, int] = {}
    free = list(range(capacity))
    for order_id in ids:
        if order_id in positions:
            operations.append((REMOVE, order_id, 0))
            free.append(positions.pop(order_id))
        elif free:
            positions[order_id] = free.pop(0)
            operations.append((INSERT, order_id, positions[order_id]))
        else:
            continue
        wanted.append(positions.get(order_id, EMPTY))
        for other in sorted(set(ids)):
            operations.append((FIND, other, 0))
            wanted.append(positions.get(other, EMPTY))
    return operations, wanted


@pytest.mark.parametrize(("capacity", "size"), [(1, 16), (8, 16), (9, 32), (64, 128), (65, 256)])
def test_a_table_is_at_most_half_full(capacity, size):
    table = new_table(capacity)
    assert (len(table), set(table.tolist())) == (size, {EMPTY})


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(IDS), max_size=40))
def test_ids_that_collide_are_found_as_in_a_dictionary(ids):
    operations, wanted = valid_operations(ids, CAPACITY)
    assert played(operations)[0] == wanted


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 40), max_size=30))
def test_any_64_bits_are_found_as_in_a_dictionary(ids):
    operations, wanted = valid_operations(ids, 32)
    assert played(operations, 32)[0] == wanted


@settings(deadline=None, max_examples=60)
@given(st.permutations(IDS[:CAPACITY]))
def test_a_table_that_was_emptied_is_as_new(order):
    operations = [(INSERT, order_id, k) for k, order_id in enumerate(IDS[:CAPACITY])]
    operations += [(REMOVE, order_id, 0) for order_id in order]
    found, table = played(operations)
    assert found == [*range(CAPACITY), *[EMPTY] * CAPACITY]
    assert set(table.tolist()) == {EMPTY}

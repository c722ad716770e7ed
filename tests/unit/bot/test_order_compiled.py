"""A view of an order reads the same in Python and in compiled code."""

from __future__ import annotations

import numpy as np
import pytest

from queuefront.bot import Order, copy_order
from queuefront.core import ASSET_SPEC, ORDER
from queuefront.core.enums import CANCELED, FILLED, GTX, LIMIT, NEW, NONE, PARTIALLY_FILLED, SELL
from queuefront.core.jit import compiled


def order_of(**fields: int) -> Order:
    records, grid = np.zeros(2, ORDER), np.zeros(1, ASSET_SPEC)
    grid["tick_size"], grid["lot_size"] = 0.5, 0.25
    grid["lot_numerator"], grid["lot_denominator"] = 25, 100
    for name, value in fields.items():
        records[name][1] = value
    return Order(records, 1, grid)


@compiled
def copied(target, source):
    copy_order(target[0], source[0])


def test_prices_and_quantities_are_counts_times_steps():
    order = order_of(price_tick=201, order_lots=7, leaves_lots=3, exec_lots=4, exec_price_tick=200)
    assert (order.price_tick, order.price, order.exec_price_tick, order.exec_price) == (201, 100.5, 200, 100.0)
    assert (order.qty, order.leaves_qty, order.exec_qty) == (1.75, 0.75, 1.0)
    assert (order.tick_size, order.lot_size) == (0.5, 0.25)  # D35


def test_codes_and_times_are_those_of_the_record():
    order = order_of(side=SELL, order_type=LIMIT, time_in_force=GTX, req=NEW, exch_ts=5, local_ts=6, is_maker=1)
    assert (order.side, order.order_type, order.time_in_force, order.req) == (SELL, LIMIT, GTX, NEW)
    assert (order.exch_timestamp, order.local_timestamp) == (5, 6)
    assert order.maker


@pytest.mark.parametrize(("bits", "order_id"), [(0, 0), (2**63 - 1, 2**63 - 1), (-(2**63), 2**63), (-1, 2**64 - 1)])
def test_an_id_shows_its_64_bits_unsigned(bits, order_id):
    assert int(order_of(order_id=bits).order_id) == order_id


@pytest.mark.parametrize("status", range(6))
@pytest.mark.parametrize("req", [NONE, NEW, CANCELED])
def test_an_order_is_cancellable_while_it_is_open_and_nothing_is_pending(status, req):
    wanted = status in (NEW, PARTIALLY_FILLED) and req == NONE
    assert bool(order_of(status=status, req=req).cancellable) is wanted


def test_an_order_describes_itself():
    order = order_of(order_id=7, side=SELL, price_tick=201, order_lots=7, leaves_lots=3, status=FILLED)
    assert repr(order) == "<Order 7: sell 1.75 @ 100.5, status 3, req 0, leaves 0.75>"


def test_an_attribute_is_not_assigned():
    with pytest.raises(AttributeError):
        order_of().price = 1.0


def test_a_copy_has_every_byte_of_its_source():
    rng = np.random.default_rng(1)
    source = np.zeros(1, ORDER)
    for k, name in enumerate(ORDER.names):
        source[name] = rng.integers(1, 100) + k  # no field keeps zero, so that a forgotten one shows
    target = np.zeros(1, ORDER)
    copied(target, source)
    assert target.tobytes() == source.tobytes()

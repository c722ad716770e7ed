from __future__ import annotations

import pytest

from queuefront.paper.errors import ApiError
from queuefront.paper.users import LIFE_NS, ListenKeys


def test_a_key_is_the_same_until_it_ends_and_then_another() -> None:
    keys = ListenKeys()
    first = keys.create("me", 0)
    assert keys.create("me", 10) == first
    assert keys.expire(LIFE_NS) == []  # it was extended by being created again
    assert keys.expire(LIFE_NS + 10) == [first]
    assert not keys.is_alive(first)
    assert keys.create("me", 20) != first


def test_a_key_is_extended_while_it_lives_only() -> None:
    keys = ListenKeys()
    key = keys.create("me", 0)
    assert keys.extend("me", 50) == key
    assert keys.expire(0, all_of_them=True) == [key]
    for name in ("me", "nobody"):
        with pytest.raises(ApiError) as caught:
            keys.extend(name, 60)
        assert str(caught.value) == "-1125: This listenKey does not exist."


def test_a_closed_key_is_gone() -> None:
    keys = ListenKeys()
    key = keys.create("me", 0)
    assert keys.close("me") == key
    assert (keys.close("me"), keys.is_alive(key)) == (None, False)

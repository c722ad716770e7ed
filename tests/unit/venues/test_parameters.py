"""Parameters are encoded by one function, for signing and sending alike."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuefront.core import ConfigError
from queuefront.venues.parameters import encode_parameters, parameter_text


def test_the_order_is_kept_and_none_is_left_out() -> None:
    assert encode_parameters({"b": 1, "a": None, "c": True, "d": False}) == b"b=1&c=true&d=false"


def test_a_decimal_has_no_exponent() -> None:
    assert parameter_text(Decimal("1E-8")) == "0.00000001"
    assert parameter_text(Decimal("1E+3")) == "1000"


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        parameter_text(Decimal("NaN"))
    assert str(caught.value) == "a parameter is NaN; give a finite number"


def test_reserved_characters_arrive_intact() -> None:
    """H8.32: a client order id with reserved characters."""
    assert encode_parameters({"newClientOrderId": "a/b:c.d_e-f&g=h i+１"}) == (
        b"newClientOrderId=a%2Fb%3Ac.d_e-f%26g%3Dh%20i%2B%EF%BC%91"
    )


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1), max_size=8))
def test_whatever_is_encoded_is_read_back(parameters: dict[str, str]) -> None:
    """H8.32."""
    encoded = encode_parameters(parameters).decode("ascii")
    assert dict(parse_qsl(encoded, strict_parsing=bool(parameters), encoding="utf-8")) == parameters

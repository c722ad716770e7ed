"""Arguments are converted alike at both borders, and cached strategies know the sources they were compiled with."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from queuefront.bot import Id, Struct, attribute, method, struct, struct_type
from queuefront.bot import surface as surface_module
from queuefront.bot.binding import saturate
from queuefront.bot.surface import FINGERPRINT, id_from_python
from queuefront.core.jit import IS_INTERPRETED, compiled

INT64_MAX, INT64_MIN = 2**63 - 1, -(2**63)


@struct("value")
class Echo(Struct):
    """Gives back what it is given."""


@compiled
def new_echo(value):
    return Echo(value)


@method(Echo)
@compiled
def integer(echo, x: int):
    """Return an integer."""
    return x


@method(Echo, "identity")
@compiled
def identity_of(echo, x: Id):
    return x


@method(Echo)
@compiled
def mixed(echo, x: int, y: float, z: bool):
    return x, y, z


@attribute(Echo)
@compiled
def doubled(echo):
    return echo.value * 2


@compiled
def compiled_integer(echo, x):
    return echo.integer(x)


@compiled
def compiled_identity(echo, x):
    return echo.identity(x)


@compiled
def compiled_rest(echo):
    return echo.mixed(2.9, 1, 3), echo.doubled


@pytest.fixture(scope="module")
def echo():
    return new_echo(21)


FLOATS = [(2.9, 2), (-2.9, -2), (1e300, INT64_MAX), (-1e300, INT64_MIN), (2.0**63, INT64_MAX), (-(2.0**63), INT64_MIN)]
SPECIAL = [(np.inf, INT64_MAX), (-np.inf, INT64_MIN), (np.nan, 0), (-0.0, 0), (0.01 * 1e9, 10_000_000)]


@pytest.mark.parametrize(("given", "wanted"), FLOATS + SPECIAL)
def test_a_float_is_truncated_and_saturates(echo, given, wanted):
    assert int(echo.integer(given)) == int(compiled_integer(echo, given)) == int(saturate(given)) == wanted


@pytest.mark.parametrize(("given", "wanted"), [(2**63, INT64_MAX), (2**64 - 1, INT64_MAX), (True, 1), (-7, -7)])
def test_an_integer_that_does_not_fit_saturates(echo, given, wanted):
    assert int(echo.integer(given)) == wanted
    compiled_given = np.uint64(given) if given > INT64_MAX else given
    assert int(compiled_integer(echo, compiled_given)) == wanted


@pytest.mark.parametrize("order_id", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_an_id_keeps_its_64_bits(echo, order_id):
    bits = order_id - 2**64 if order_id > INT64_MAX else order_id
    assert int(echo.identity(order_id)) == id_from_python(order_id) == bits
    assert int(compiled_identity(echo, np.uint64(order_id))) == bits


@pytest.mark.parametrize(("given", "wanted"), [(-1, -1), (2**64, 0), (7.9, 7), (np.uint64(2**64 - 1), -1)])
def test_any_number_is_an_id(given, wanted):
    assert id_from_python(given) == wanted


def test_arguments_may_be_named(echo):
    assert echo.mixed(z=1, y=2, x=3.7) == (3, 2.0, True)
    assert echo.mixed(3, z=0, y=2) == (3, 2.0, False)


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2, 3, 4)])
def test_a_wrong_number_of_arguments_is_refused(echo, arguments):
    with pytest.raises(TypeError):
        echo.mixed(*arguments)


def test_compiled_code_converts_every_kind(echo):
    assert compiled_rest(echo) == ((2, 1.0, True), 42)


def test_an_attribute_is_read_only(echo):
    assert echo.doubled == 42
    with pytest.raises(AttributeError):
        echo.doubled = 1


def test_a_method_keeps_its_name_and_its_text():
    assert (Echo.integer.__name__, Echo.integer.__doc__) == ("integer", "Return an integer.")
    assert Echo.identity.__name__ == "identity"


# --- the fingerprint --------------------------------------------------------------------------------------------------
@pytest.mark.skipif(IS_INTERPRETED, reason="nothing is compiled, so nothing is cached")
def test_the_types_of_structs_are_named_after_the_sources(echo, monkeypatch):
    from numba import typeof

    fields = list(typeof(echo).field_dict.items())
    assert re.fullmatch(r"EchoType\([0-9a-f]{16}\)", typeof(echo).name)
    assert struct_type(Echo)(fields).name == typeof(echo).name
    monkeypatch.setattr(surface_module, "FINGERPRINT", "of other sources")
    assert struct_type(Echo)(fields).name != typeof(echo).name


def test_the_fingerprint_follows_every_source_of_a_strategys_code(tmp_path, monkeypatch):
    package = Path(surface_module.__file__).parent.parent
    for room in ("core", "book", "bot", "sim"):
        shutil.copytree(package / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(surface_module, "__file__", str(tmp_path / "bot" / "surface.py"))
    assert surface_module._fingerprint() == FINGERPRINT
    seen = {FINGERPRINT}
    for source in ("core/enums.py", "book/l2_compiled.py", "bot/money_compiled.py", "sim/exchange_compiled.py"):
        with (tmp_path / source).open("a") as file:
            file.write("\n")
        seen.add(surface_module._fingerprint())
    assert len(seen) == 5

"""The compiled scanners change nothing: with them and without, a file gives the same rows, account, or error.

H6, J3: what the scanners decline goes to the careful reading, which is the judge of what is valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from queuefront.core import QueuefrontError
from queuefront.feed.conversion import ConversionAccount
from queuefront.feed.sources.csv_records import CsvFile
from tests.property.hostile import ARCHIVES

Convert = Callable[[Path, str], Any]

FILES = [(str(source), source.name, source.data, source.convert) for source in ARCHIVES]


@contextmanager
def without_scanners() -> Iterator[None]:
    """Read every line the careful way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CsvFile, "_make_plan", lambda _self: None)
        yield


def outcome(convert: Convert, path: Path, on_bad: str) -> tuple[object, ...]:
    """Return all that a conversion tells: rows, account and instrument, or the error."""
    try:
        made = convert(path, on_bad)
    except QueuefrontError as e:
        return type(e), str(e)
    # A block's records that cannot be read are refused before those that make no sense, and blocks are cut elsewhere.
    # A record alone is told another reason than one in a block that could be read: "nan" is no number, or is not finite.
    refused = sorted(made.account.refused, key=lambda refusal: refusal.line)
    made.account.refused = [replace(refusal, reason="") for refusal in refused]
    return made.events.tobytes(), made.account, made.instrument


def assert_same(convert: Convert, path: Path) -> None:
    outcomes = {}
    for on_bad in ("skip", "stop"):
        scanned = outcome(convert, path, on_bad)
        with without_scanners():
            careful = outcome(convert, path, on_bad)
        outcomes[on_bad] = scanned, careful
    skipping, (scanned, careful) = outcomes["skip"][0], outcomes["stop"]
    assert outcomes["skip"][0] == outcomes["skip"][1]
    if scanned != careful:
        # Of several bad records a block finds those first that cannot be read, then those that make no sense.
        assert scanned[0] is careful[0]
        if isinstance(skipping[1], ConversionAccount):
            refused = {refusal.line for refusal in skipping[1].refused}
            assert {line_of(scanned[1]), line_of(careful[1])} <= refused


def line_of(error: object) -> int:
    """Return the line that an error names."""
    found = re.search(r": line (\d+), ", str(error))
    assert found, error
    return int(found[1])


NUMBERS = st.one_of(
    st.from_regex(rb"-?[0-9]{0,19}\.?[0-9]{0,19}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.decimals(min_value=0, max_value=10**7, places=8).map(lambda d: f"{d:f}".encode()),
    st.sampled_from(
        b" 0 -0 00.5 .5 5. 9007199254740993 9007199254740992 1e5 1.2.3 nan inf 9223372036854775807 9223372036854775808 "
        b"0x10 +1 1e-7 1E22 0.1e23 1e 1733011200.123456789 1733011200.1234567891 "
        b"123456789012345678 0.30000000000000004".split(b" ")
    ),
    st.sampled_from([b" 1", b"1 "]),
)
BYTES = st.one_of(
    st.sampled_from(list(b',"{}[]:.-+eE0159 \r\n\t\0\\\xff\xc3trufalsn')).map(lambda byte: bytes([byte])),
    st.binary(min_size=1, max_size=2),
)
NUMBER = re.compile(rb"[0-9][0-9.]*")


@st.composite
def mutated(draw: st.DrawFn, text: bytes) -> bytes:
    """Return a file of the lines of another, in any order and number, a few of them changed for the worse."""
    head, *lines = text.splitlines(keepends=True)
    has_head = not head[:1].isdigit() and head[:1] != b"{" and len(lines) > 1
    pool = lines if has_head else [head, *lines]
    made = [*([head] if has_head else []), *lines, *draw(st.lists(st.sampled_from(pool), max_size=12))]
    for _ in range(draw(st.integers(0, 6))):
        i = draw(st.integers(0, len(made) - 1))
        line = made[i]
        numbers = list(NUMBER.finditer(line))
        what = draw(st.sampled_from(["number", "number", "insert", "replace", "delete", "cut"]))
        at = draw(st.integers(0, max(len(line) - 1, 0)))
        if what == "number" and numbers:
            match = draw(st.sampled_from(numbers))
            made[i] = line[: match.start()] + draw(NUMBERS) + line[match.end() :]
        elif what == "insert":
            made[i] = line[:at] + draw(BYTES) + line[at:]
        elif what == "replace":
            made[i] = line[:at] + draw(BYTES) + line[at + 1 :]
        elif what == "delete":
            made[i] = line[:at] + line[at + 1 :]
        elif what == "cut":
            made[i] = line[:at] + b"\n"
    return b"".join(made)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "convert"), [file[1:] for file in FILES], ids=[file[0] for file in FILES])
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_file_gives_the_same_with_the_scanner_and_without(
    tmp_path: Path, name: str, text: bytes, convert: Convert, data: st.DataObject
) -> None:
    path = tmp_path / name
    path.write_bytes(data.draw(mutated(text)))
    assert_same(convert, path)

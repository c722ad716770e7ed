"""The deliberate faults still fit the kernel: each text that they replace stands in its module, once wanted and found."""

from __future__ import annotations

import pytest

from tests.mutations.faults import FAULTS, Fault
from tests.mutations.run import module_of, noticing_tests, table
from tests.tidy.source import ROOT


def test_there_are_thirty_faults_or_more_with_names_of_their_own() -> None:
    assert len(FAULTS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_has_its_place(fault: Fault) -> None:
    text = module_of(fault).read_text("utf-8")
    assert fault.text in text
    assert fault.instead != fault.text


def test_a_survivor_stands_out() -> None:
    text = table([(FAULTS[0], "tests/a.py::test_b"), (FAULTS[1], "")])
    assert text.startswith("1 of 2 faults are noticed.")
    assert "**survived**" in text


def test_a_fault_is_looked_for_by_the_tests_of_its_room() -> None:
    kernel, store = FAULTS[0], Fault("x", "store/rows", "a", "b")
    assert module_of(store).relative_to(ROOT).as_posix() == "queuefront/store/rows.py"
    assert noticing_tests(store) == ("tests/unit/store",)
    assert noticing_tests(kernel)[0] == "tests/unit/kernel"

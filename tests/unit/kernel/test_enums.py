from __future__ import annotations

from queuefront.kernel import enums
from queuefront.kernel.enums import ENTRY_STAGES, EXIT_STAGES, FREE_STAGES, Diagnostic, Stage


def test_every_stage_is_of_one_kind() -> None:
    kinds = (FREE_STAGES, ENTRY_STAGES, EXIT_STAGES, {Stage.POSITION_OPEN})
    assert sorted(stage for kind in kinds for stage in kind) == sorted(Stage)


def test_values_are_what_journals_hold() -> None:
    assert {stage.name: stage.value for stage in Stage} == {
        "IDLE": 0, "ORDER_REQUESTED": 1, "ORDER_SENT": 2, "ENTRY_WORKING": 3, "POSITION_OPEN": 4,
        "EXIT_REQUESTED": 5, "EXIT_SENT": 6, "EXIT_WORKING": 7, "CLOSED": 8,
    }  # fmt: skip
    assert (Diagnostic.SLOT_BUSY, Diagnostic.KERNEL_CLOSED, Diagnostic.LIMIT_MARGIN) == (1, 34, 56)
    assert set(enums.__all__) >= {"Stage", "Diagnostic"}

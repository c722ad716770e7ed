from __future__ import annotations

from enum import IntEnum

import pytest

from queuefront.kernel import codes
from queuefront.kernel.enums import Stage


def test_a_code_read_fast_is_the_member_itself() -> None:
    assert codes.STAGE.IDLE is Stage.IDLE
    assert {codes.members(Stage).__dict__[stage.name] for stage in Stage} == set(Stage)


def test_an_unknown_code_is_an_error_and_not_none() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'ASLEEP'"):
        codes.STAGE.ASLEEP  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", codes.__all__)
def test_the_names_hold_whole_enumerations(name: str) -> None:
    members = list(vars(getattr(codes, name)).values())
    assert members == list(type(members[0]))
    assert all(isinstance(member, IntEnum) for member in members)

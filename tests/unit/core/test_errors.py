"""Errors: one tree, printed whole at the head of its module, sorted by what the caller can do."""

from __future__ import annotations

import pytest

from queuefront.core import errors

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_every_error_is_a_queuefront_error_and_stands_in_the_printed_tree(error: type[Exception]) -> None:
    assert issubclass(error, errors.QueuefrontError)
    assert error.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError, 2),
        (errors.ClosedError, 2),
        (errors.StrategyError, 3),
        (errors.DataError, 4),
        (errors.TruncatedFileError, 4),
        (errors.InvariantError, 70),
    ],
)
def test_the_exit_code_says_whose_turn_it_is(error: type[errors.QueuefrontError], code: int) -> None:
    assert error("x").exit_code == code


def test_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(errors.ConfigError, ValueError)
    assert issubclass(errors.DataError, ValueError)
    assert issubclass(errors.ClosedError, RuntimeError)

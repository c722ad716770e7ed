from __future__ import annotations

import pytest

from queuefront.core import ClosedError, QueuefrontError
from queuefront.kernel import JournalDamagedError, JournalError, JournalLockedError, KernelClosedError


@pytest.mark.parametrize("kind", [JournalDamagedError, JournalLockedError])
def test_journal_errors_are_one_family(kind: type[Exception]) -> None:
    assert issubclass(kind, JournalError)
    assert issubclass(kind, QueuefrontError)
    assert issubclass(KernelClosedError, ClosedError)
    assert JournalError.exit_code == 5

from __future__ import annotations

from queuefront.core import QueuefrontError
from queuefront.store import StoreError


def test_a_store_that_cannot_be_used_has_an_exit_code_of_its_own() -> None:
    assert issubclass(StoreError, QueuefrontError)
    assert StoreError.exit_code == 7

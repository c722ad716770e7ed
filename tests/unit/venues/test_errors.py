"""Errors of venues have a place in the tree, and an exit code."""

from __future__ import annotations

import pytest

from queuefront.core import QueuefrontError
from queuefront.venues.errors import MessageError, VenueError


@pytest.mark.parametrize("kind", [VenueError, MessageError])
def test_an_error_of_a_venue_is_one_of_ours_with_exit_code_6(kind: type[VenueError]) -> None:
    assert issubclass(kind, QueuefrontError)
    assert kind.exit_code == 6

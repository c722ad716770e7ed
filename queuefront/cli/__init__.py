"""The `qf` command: parses and prints; the library works."""

from __future__ import annotations

import atexit
import gc
import sys

__all__ = ["main"]


def main() -> None:
    """Run `qf` with the arguments of this process."""
    # At the end nothing is looked through for garbage: what the libraries made at their import would take longest.
    atexit.register(gc.freeze)
    try:
        from queuefront.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command had begun
        sys.exit(130)

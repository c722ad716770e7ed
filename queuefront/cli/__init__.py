"""The `qf` command: parses and prints; the library works."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run `qf` with the arguments of this process."""
    try:
        from queuefront.cli.app import app

        app()
    except KeyboardInterrupt:  # before a command had begun
        sys.exit(130)

"""The two engines that are compared, and what their comparison amounted to."""

from __future__ import annotations

import os

import pytest

from tests.differential.engines import REFERENCE_MODULE, SUBJECT_MODULE, Engine, load, subject_is_built
from tests.differential.markets import FEED_FILES, FEEDS_DIR, feed_is_recorded
from tests.differential.verdict import Judge, Tally

TALLY = Tally()


@pytest.fixture(scope="session")
def reference() -> Engine:
    return load(REFERENCE_MODULE)


@pytest.fixture(scope="session")
def subject(reference: Engine) -> Engine:
    """Our engine; the reference once more until ours is built, which proves the harness and nothing else."""
    return load(SUBJECT_MODULE) if subject_is_built() else reference


@pytest.fixture(scope="session")
def ours() -> Engine:
    """Our engine, for what only it does."""
    if not subject_is_built():
        pytest.skip(f"{SUBJECT_MODULE} is not ours, or not built")
    return load(SUBJECT_MODULE)


@pytest.fixture(params=["reference", "ours"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn, for stories that both are told."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def judge(reference: Engine, subject: Engine) -> Judge:
    return Judge(reference, subject, TALLY)


@pytest.fixture(scope="session")
def feeds() -> tuple[str, ...]:
    """The recorded feeds that can be read here."""
    names = tuple(name for name in FEED_FILES if feed_is_recorded(name))
    if not names:
        pytest.skip(f"no recorded feed in {os.path.relpath(FEEDS_DIR)}; it is not part of the repository")
    return names


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.outcomes:
        terminalreporter.write_line(f"differential: {TALLY}")

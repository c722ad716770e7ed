"""What all tests share: `--update-golden`, and golden files that say how to change them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test may fail because a machine is busy: the first example also compiles, and the clock on the wall proves nothing.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite golden files from what the tests see")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep tapes that tests make of files out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUEUEFRONT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def compare_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return a function that holds a text to a golden file, or rewrites the file under `--update-golden`."""

    def compare(path: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        golden = path.read_text(encoding="utf-8") if path.is_file() else ""
        repair = f"if every changed line is right: pytest --update-golden {request.node.nodeid}"
        assert text.splitlines() == golden.splitlines(), f"{path.name} is out of date; {repair}"

    return compare

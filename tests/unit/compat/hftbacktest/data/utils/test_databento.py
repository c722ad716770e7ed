"""The Databento converter under the reference's name."""

from pathlib import Path

import pytest

from queuefront.compat.hftbacktest.data.utils.databento import convert
from queuefront.core import ConfigError
from queuefront.feed import convert_databento, read_events
from tests.unit.feed.sources.dbn_files import dbn_file, message


def test_it_returns_and_writes_what_the_converter_makes(tmp_path: Path) -> None:
    path, out = dbn_file(tmp_path, message(), message("C")), tmp_path / "es.npz"
    events = convert(str(path), "ESM4", str(out), 5)
    assert events.tobytes() == convert_databento(path, symbol="ESM4", tick_size="0.25", lot_size=1).events.tobytes()
    assert read_events(out).tobytes() == events.tobytes()


def test_another_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        convert(tmp_path / "none", "ESM4", file_type="mbp-1")
    assert str(caught.value) == "file_type is 'mbp-1'; only 'mbo' is converted"

"""Limits of the passport: their file, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from queuefront.core import ConfigError
from queuefront.feed import PassportThresholds


def test_a_file_changes_the_limits_that_it_names(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text("silence_bad_ms = 60_000\ncrossed_bad_share = 0.5\n")
    limits = PassportThresholds.from_toml(path)
    assert limits == PassportThresholds(silence_bad_ms=60_000, crossed_bad_share=0.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("silence = 3", r"limits.toml: there is no limit 'silence'; choose from silence_suspect_multiple, "),
        ("silence_bad_ms = -1", r"limits.toml: silence_bad_ms is -1; give a number from 0$"),
        ("silence_bad_ms = true", r"silence_bad_ms is True; give a number from 0$"),
        ("silence_bad_ms = 'x'", r"silence_bad_ms is 'x'; give a number from 0$"),
        ("silence_bad_ms = nan", r"silence_bad_ms is nan; give a number from 0$"),
        ("crossed_bad_share = 2", r"crossed_bad_share is 2; give a share from 0 to 1$"),
        ("= 3", r"limits.toml: not readable as TOML: .*; mend the file$"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        PassportThresholds.from_toml(path)


def test_the_page_lists_every_limit_with_its_default() -> None:
    page = (Path(__file__).parents[4] / "docs" / "passport.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| ([\d.,]+) \|", page, flags=re.MULTILINE))
    assert listed == {name: f"{getattr(PassportThresholds(), name):,g}" for name in PassportThresholds.__dataclass_fields__}

"""What the files of one conversion share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from queuefront.core import ConfigError, TimestampRangeError
from queuefront.feed import convert_tardis
from queuefront.feed.sources.archive import Archive, later_by
from tests.unit.feed.sources.csv_files import tardis_file

AT = 1_700_000_000_000_000


def test_an_account_of_several_files_names_each(tmp_path: Path):
    trades = tardis_file(tmp_path, "trades", f"{AT},1,buy,7.5,1")
    depth = tardis_file(tmp_path, "incremental_book_L2", f"{AT},false,bid,7,1", f"{AT},false,bid,-7,1")
    seen: list[tuple[int, int]] = []
    made = convert_tardis([trades, depth], on_bad="skip", progress=lambda done, total: seen.append((done, total)))
    account = made.account
    assert [Path(entry.path).name for entry in account.inputs] == ["trades.csv", "incremental_book_L2.csv"]
    assert account.input_bytes == sum(entry.input_bytes for entry in account.inputs)
    assert account.sha256 == ""
    assert account.lines == 5
    assert account.refused[0].reason == "incremental_book_L2.csv: price: '-7' is no price; a price is positive"
    assert seen[-1] == (account.input_bytes, account.input_bytes)


def test_silence_is_listed(tmp_path: Path):
    path = tardis_file(tmp_path, "trades", f"{AT},1,buy,7.5,1", f"{AT + 11_000_000},2,buy,7,1")
    [gap] = convert_tardis(path).account.gaps
    assert (gap.kind, gap.line, gap.size) == ("time", 3, 11_000_000_000)


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        ([], {}, "test has no input; give at least one file"),
        (["a"], {"on_bad": "ignore"}, "on_bad is 'ignore'; choose 'stop' or 'skip'"),
    ],
)
def test_what_cannot_be_done_is_said(paths, options, message: str):
    with pytest.raises(ConfigError) as caught:
        Archive("test", paths, **options)
    assert str(caught.value) == message


def test_local_times_are_later_by_a_constant_and_fit():
    """H0.5."""
    assert later_by(np.array([1, 2]), 5, "f").tolist() == [6, 7]
    with pytest.raises(ConfigError, match="feed_latency_ns is -1; nothing is received before it is sent"):
        later_by(np.array([1]), -1, "f")
    with pytest.raises(TimestampRangeError) as caught:
        later_by(np.array([2**63 - 2]), 5, "f")
    assert str(caught.value) == "f: times 5 ns later do not fit into int64; check feed_latency_ns"

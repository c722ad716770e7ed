"""Where public archives keep which file, and how it is checked."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from queuefront.core import ConfigError, DataFormatError
from queuefront.feed import convert_binance_history, download_binance, download_tardis
from tests.property.hostile import packed
from tests.unit.feed.file_server import FileServer, serving

TRADES = packed(b"1,8,2,16,1700000000000,true\n", "zip")
NAME = "BTCUSDT-trades-2023-11-14.zip"
DAILY = f"/data/futures/um/daily/trades/BTCUSDT/{NAME}"
TARDIS = "/v1/deribit/trades/2024/08/01/BTC-PERPETUAL.csv.gz"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as server:
        yield server


def test_a_day_of_binance_is_checked_by_its_published_sum(server: FileServer, tmp_path: Path):
    server.files = {DAILY: TRADES, f"{DAILY}.CHECKSUM": f"{sha256(TRADES).hexdigest()}  {NAME}\n".encode()}
    made = download_binance("BTCUSDT", "2023-11-14", tmp_path, base=server.base)
    assert made.path == tmp_path / NAME
    assert convert_binance_history(made.path).account.lines_by_kind == {"trades": 1}


@pytest.mark.parametrize(
    ("market", "day", "path"),
    [
        ("spot", "2023-11-14", "/data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2023-11-14.zip"),
        ("cm", "2023-11", "/data/futures/cm/monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2023-11.zip"),
    ],
)
def test_each_market_and_month_has_its_place(server: FileServer, tmp_path: Path, market: str, day: str, path: str):
    server.files = {path: TRADES, f"{path}.CHECKSUM": sha256(TRADES).hexdigest().encode()}
    assert download_binance("BTCUSDT", day, tmp_path, kind="aggTrades", market=market, base=server.base).file_bytes > 0


def test_a_sum_that_is_none_or_another_is_refused(server: FileServer, tmp_path: Path):
    server.files = {DAILY: TRADES, f"{DAILY}.CHECKSUM": b"<html>"}
    with pytest.raises(DataFormatError, match=r"CHECKSUM: '<html>' is no SHA-256"):
        download_binance("BTCUSDT", "2023-11-14", tmp_path, base=server.base)
    server.files[f"{DAILY}.CHECKSUM"] = b"0" * 64
    with pytest.raises(DataFormatError, match="was published; fetch it again"):
        download_binance("BTCUSDT", "2023-11-14", tmp_path, base=server.base)
    assert list(tmp_path.iterdir()) == []


def test_a_first_day_of_tardis_is_unpacked_to_see_that_it_is_whole(server: FileServer, tmp_path: Path):
    data = gzip.compress(b"exchange,symbol\n" * 1000)
    server.files = {TARDIS: data[:-9]}
    with pytest.raises(DataFormatError, match="cut off"):
        download_tardis("deribit", "BTC-PERPETUAL", "2024-08-01", tmp_path, kind="trades", base=server.base)
    assert list(tmp_path.iterdir()) == []
    server.files = {TARDIS: data}
    made = download_tardis("deribit", "BTC-PERPETUAL", "2024-08-01", tmp_path, kind="trades", base=server.base)
    assert made.path.name == "deribit_trades_2024-08-01_BTC-PERPETUAL.csv.gz"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("BTCUSDT", "2024-8-1"), {}, "day is '2024-8-1'; give one such as 2024-08-01"),
        (("BTCUSDT", "2024-02-30"), {}, "day is '2024-02-30'; give one such as 2024-08-01"),
        (("../x", "2024-08-01"), {}, "symbol is '../x'; it has letters, digits, and - _ . between them"),
        (("BTCUSDT", "2024-08-01"), {"kind": "x"}, "kind is 'x'; choose one of trades, aggTrades, bookTicker"),
        (("BTCUSDT", "2024-08-01"), {"market": "x"}, "market is 'x'; choose one of spot, um, cm"),
    ],
)
def test_what_binance_cannot_have_is_not_asked_for(tmp_path: Path, arguments, options, message: str):
    with pytest.raises(ConfigError) as caught:
        download_binance(*arguments, tmp_path, base="http://127.0.0.1:1", **options)
    assert str(caught.value) == message


def test_only_first_days_of_months_are_asked_for(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        download_tardis("deribit", "BTC", "2024-08-02", tmp_path, base="http://127.0.0.1:1")
    assert str(caught.value) == "day is 2024-08-02; only the first day of a month costs nothing, such as 2024-08-01"

"""Measure the connectors and write a table: `make bench`, or `python -m benchmarks.venues --help`.

Market data are a recorded USD-M session where there is one, and a made-up one of the same shape otherwise; both ends of
every connection are on this machine. Every load prints what it came to.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import gzip
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from benchmarks.kernel import Line, _resident_mb
from benchmarks.run import FEED, write_between_marks
from queuefront.core import EVENT
from queuefront.core.enums import (
    BEST_ASK_EVENT,
    BEST_BID_EVENT,
    BUY_EVENT,
    DEPTH_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
)
from queuefront.feed import MessageDecoder, convert_lines
from queuefront.venues import Credentials, Done
from queuefront.venues.binance import Addresses, BinanceClient, MarketEvents, MarketStream, OrderTerms, SessionConfig
from queuefront.venues.book_sync import BookSync, Rule
from queuefront.venues.rest import AiohttpTransport
from queuefront.venues.websocket import PicowsConnector

MS = 1_723_161_256_298
LEVELS = 20

Message = tuple[int, bytes]


def made_up(count: int) -> list[Message]:
    """Return a session of one diff in four messages, the rest tickers and trades."""
    messages = []
    for i in range(count):
        ms = MS + i
        if i % 4 == 0:
            sides = [[[f"{61800 - sign * j / 10:.1f}", f"{(i + j) % 9 + 1}.5"] for j in range(LEVELS)] for sign in (1, -1)]
            event: dict[str, Any] = {
                "e": "depthUpdate",
                "E": ms,
                "T": ms,
                "s": "BTCUSDT",
                "U": i + 4,
                "u": i + 7,
                "pu": i + 3,
            }
            event |= {"b": sides[0], "a": [[f"{float(px) + 0.1:.1f}", qty] for px, qty in sides[1]]}
            stream = "depth@100ms"
        elif i % 4 == 1:
            event = {
                "e": "trade",
                "E": ms,
                "T": ms,
                "s": "BTCUSDT",
                "t": i,
                "p": "61800.0",
                "q": "0.5",
                "X": "MARKET",
                "m": True,
            }
            stream = "trade"
        else:
            event = {
                "e": "bookTicker",
                "u": 1,
                "s": "BTCUSDT",
                "b": "61800.0",
                "B": "1",
                "a": "61800.1",
                "A": "1",
                "T": ms,
                "E": ms,
            }
            stream = "bookTicker"
        text = json.dumps({"stream": f"btcusdt@{stream}", "data": event}, separators=(",", ":"))
        messages.append((ms * 10**6, text.encode()))
    return messages


def recorded(count: int) -> tuple[str, list[Message]]:
    """Return where the messages come from, and the first of them."""
    if not FEED.is_file():
        return "made-up session", made_up(count)
    messages: list[Message] = []
    with gzip.open(FEED) as file:
        for line in file:
            if len(messages) >= count:
                break
            if b'"stream"' in line[:60]:
                messages.append((int(line[:19]), line[20:-1]))
    return "recorded USD-M session", messages


def rows_by_json(message: bytes, local_ts: int) -> Any:
    """Do the decoder's work by the `json` module and dictionaries."""
    event = json.loads(message)["data"]
    kind, exch_ts = event["e"], event["T"] * 10**6
    rows = []
    if kind == "trade":
        side = SELL_EVENT if event["m"] else BUY_EVENT
        if event["X"] == "MARKET":
            rows = [(TRADE_EVENT | side, exch_ts, local_ts, float(event["p"]), float(event["q"]), 0, 0, 0.0)]
    elif kind == "bookTicker":
        rows = [
            (BEST_BID_EVENT, exch_ts, local_ts, float(event["b"]), float(event["B"]), 0, 0, 0.0),
            (BEST_ASK_EVENT, exch_ts, local_ts, float(event["a"]), float(event["A"]), 0, 0, 0.0),
        ]
    else:
        for side, levels in ((BUY_EVENT, event["b"]), (SELL_EVENT, event["a"])):
            rows += [(DEPTH_EVENT | side, exch_ts, local_ts, float(px), float(qty), 0, 0, 0.0) for px, qty in levels]
    return np.array(rows, EVENT)


def _best_rate(messages: Sequence[Message], work: Callable[[bytes, int], Any], repeats: int) -> tuple[float, int]:
    best, rows = 0.0, 0
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        rows = sum(len(work(message, ts)) for ts, message in messages)
        best = max(best, len(messages) / (time.process_time() - start))
    return best, rows


def decode_lines(count: int, repeats: int) -> list[Line]:
    """Decode a session message by message, as a file, and by `json`; all must come to the same rows."""
    source, messages = recorded(count)
    decoder = MessageDecoder("BTCUSDT", is_spot=False, is_combined=True)
    decoder.decode(messages[0][1], messages[0][0])
    live, rows = _best_rate(messages, lambda message, ts: decoder.decode(message, ts).rows, repeats)
    by_json, json_rows = _best_rate(messages, rows_by_json, repeats)
    if rows != json_rows:
        raise RuntimeError(f"{rows:,} rows by the decoder, {json_rows:,} by json")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines"
        path.write_bytes(b"".join(b"%d %b\n" % message for message in messages))
        whole, converted = 0.0, 0
        for _ in range(repeats):
            start = time.process_time()
            converted = convert_lines("binance-usdm", path, opt="t").account.events
            whole = max(whole, len(messages) / (time.process_time() - start))
    check = f"{rows:,} rows of {len(messages):,} messages"
    return [
        Line(
            f"{source} to event records, message by message", f"{live:,.0f} a second, {live / by_json:.1f} × json",
            "", None, check,
        ),
        Line(
            f"{source} to event records, the same decoder over lines",
            f"{whole:,.0f} a second, {whole / by_json:.1f} × json", "5 × json", whole >= 5 * by_json,
            f"{converted:,} events",
        ),
    ]  # fmt: skip


def book_line(count: int, repeats: int) -> Line:
    """Decode diffs, check their continuity and keep the book, on one core."""
    source, messages = recorded(count)
    depth = [(ts, message) for ts, message in messages if b"@depth" in message[:40]]
    best, levels = 0.0, 0
    for _ in range(repeats):
        decoder = MessageDecoder("BTCUSDT", is_spot=False, is_combined=True)
        sync = BookSync(Rule.FUTURES)
        sync.connect(0)
        first = decoder.decode(depth[0][1], depth[0][0])
        sync.receive(first)
        sync.take_snapshot(first._replace(rows=first.rows[:0]), sync.generation)
        gc.collect()
        start = time.process_time()
        for ts, message in depth[1:]:
            sync.receive(decoder.decode(message, ts))
        best = max(best, (len(depth) - 1) / (time.process_time() - start))
        levels = sync.book.level_count
        if sync.counts.gaps:
            raise RuntimeError(f"{sync.counts.gaps:,} gaps in a session without any")
    check = f"{levels:,} levels after {len(depth):,} diffs"
    return Line(f"diffs of a {source}: decode, continuity, book", f"{best:,.0f} a second", "20,000", best >= 20_000, check)


def memory_line(count: int) -> Line:
    """Decode diffs of a moving market and keep their book; compare the process's memory after each tenth of them."""
    decoder = MessageDecoder("BTCUSDT", is_spot=False, is_combined=True)
    sync = BookSync(Rule.FUTURES)
    sync.connect(0)
    first = decoder.decode(moving_diff(1), MS * 10**6)
    sync.receive(first)
    sync.take_snapshot(first._replace(last_id=1, rows=first.rows[:0]), sync.generation)
    part, sizes = max(count // 10, 1), []
    for i in range(2, count + 1):
        sync.receive(decoder.decode(moving_diff(i), MS * 10**6 + i))
        if i % part == 0:
            gc.collect()
            sizes.append(_resident_mb())
            print(f"{i:,} diffs: {sizes[-1]:.1f} MB", file=sys.stderr, flush=True)
    if not sync.is_valid:
        raise RuntimeError(f"the book is out of sync after {count:,} diffs without a gap: {sync.counts}")
    text = ", ".join(f"{size:.0f}" for size in sizes) + " MB"
    check = f"{sync.book.level_count:,} levels in sync"
    return Line(f"memory after each {part:,} of {count:,} diffs", text, "flat", sizes[-1] - sizes[0] < 10, check)


def moving_diff(i: int, ms: int = 0) -> bytes:
    """Return the `i`-th diff of a market that walks 2,000 ticks up and down: three levels a side, two of them removed."""
    ms = ms or MS + i
    tick = 618_000 + abs(i % 4_000 - 2_000)
    passed = divmod(tick, 10)
    levels = [b'["%d.%d","%d.5"],["%d.%d","0"],["%d.%d","0"]' % (*divmod(near, 10), i % 9 + 1, *divmod(far, 10), *passed)
              for near, far in ((tick - 1, tick - 101), (tick + 1, tick + 101))]  # fmt: skip
    return (
        b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":%d,"T":%d,"s":"BTCUSDT","U":%d,"u":%d,"pu":%d,'
        b'"b":[%b],"a":[%b]}}' % (ms, ms, i, i, i - 1, *levels)
    )


# --- over loopback --------------------------------------------------------------------------------------------------------
class _Pusher(WSListener):  # type: ignore[misc]
    """Pushes a diff every other millisecond once it is subscribed to."""

    def __init__(self, count: int, sent: dict[int, float]) -> None:
        super().__init__()
        self._count, self._sent = count, sent
        self._task: asyncio.Task[None] | None = None

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:
        if frame.msg_type == WSMsgType.TEXT and self._task is None:
            self._task = asyncio.ensure_future(self._push(transport))

    async def _push(self, transport: WSTransport) -> None:
        head, tail = made_up(1)[0][1].split(b'"U":4,"u":7,"pu":3')
        for i in range(2, self._count + 2):
            message = head + b'"U":%d,"u":%d,"pu":%d' % (i, i, i - 1) + tail
            self._sent[i] = time.perf_counter()
            transport.send(WSMsgType.TEXT, message)
            await asyncio.sleep(0.002)


def _percentiles(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    return f"p50 {ordered[len(ordered) // 2] * 1e6:,.0f} µs, p99 {ordered[len(ordered) * 99 // 100] * 1e6:,.0f} µs"


async def _loopback(count: int) -> list[Line]:
    order = {"symbol": "BTCUSDT", "orderId": 1, "status": "NEW", "type": "LIMIT", "origQty": "1", "executedQty": "0"}

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("time"):
            return web.json_response({"serverTime": time.time_ns() // 10**6})
        if request.path.endswith("depth"):
            return web.json_response({"lastUpdateId": 2, "E": MS, "T": MS, "bids": [], "asks": []})
        return web.json_response({**order, "clientOrderId": (await request.post())["newClientOrderId"]})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sent: dict[int, float] = {}
    heard: dict[int, float] = {}

    def pusher(request: WSUpgradeRequest) -> WSListener:
        return _Pusher(count, sent)

    server = await ws_create_server(pusher, "127.0.0.1", 0)
    rest, port = runner.addresses[0][1], server.sockets[0].getsockname()[1]
    where = Addresses(f"http://127.0.0.1:{rest}", f"ws://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
    config = SessionConfig("binance-usdm", "custom", addresses=where)
    client = BinanceClient(config, AiohttpTransport(), Credentials("k" * 20, "s" * 20), jitter=lambda: 0.0)

    def take(events: MarketEvents) -> None:
        if events.kind == "depth":
            heard[stream.feed("BTCUSDT").sync.last_id] = time.perf_counter()

    stream = MarketStream(client, PicowsConnector(), ["BTCUSDT"], ["depth@100ms"], take, jitter=lambda: 0.0)
    task = asyncio.ensure_future(stream.run())
    while len(sent) < count:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    stream.stop()
    await task
    seconds = []
    for i in range(count // 4):
        terms = OrderTerms("BTCUSDT", True, f"bench-{i}", Decimal(1), Decimal(100))
        start = time.perf_counter()
        outcome = await client.place(terms)
        seconds.append(time.perf_counter() - start)
        if not isinstance(outcome, Done):
            raise TypeError(f"an order came to {outcome}")
        client.limiter.replace(())  # the venue's limits are not what is measured
    await client.close()
    server.close()
    await runner.cleanup()
    delays = [heard[i] - sent[i] for i in heard if i in sent]
    return [
        Line("wire to book, loopback", _percentiles(delays), "", None, f"{len(delays):,} of {count:,} diffs published"),
        Line("order round trip, loopback", _percentiles(seconds), "", None, f"{len(seconds):,} orders acknowledged"),
    ]


class _Flood(WSListener):  # type: ignore[misc]
    """Pushes so many diffs at a rate, whoever keeps up, once it is subscribed to."""

    def __init__(self, count: int, rate: int) -> None:
        super().__init__()
        self._count, self._rate = count, rate
        self._task: asyncio.Task[None] | None = None

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:
        if frame.msg_type == WSMsgType.TEXT and self._task is None:
            self._task = asyncio.ensure_future(self._push(transport))

    async def _push(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, moving_diff(2, time.time_ns() // 10**6))
        await asyncio.sleep(0.5)  # the snapshot comes; what it waits for is not published one by one
        start, i = time.perf_counter(), 1
        while i < self._count:
            due = min(1 + int((time.perf_counter() - start) * self._rate), self._count)
            for number in range(i, due):
                transport.send(WSMsgType.TEXT, moving_diff(number + 2, time.time_ns() // 10**6))
            i = due
            await asyncio.sleep(0.001)


def _flood(pipe: Any, count: int, rate: int) -> None:
    """Serve a flood in a process of its own, so that the connector has a core to itself, until the pipe is closed."""

    async def serve() -> None:
        def flood(request: WSUpgradeRequest) -> WSListener:
            return _Flood(count, rate)

        server = await ws_create_server(flood, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        with contextlib.suppress(EOFError):
            await asyncio.to_thread(pipe.recv)
        server.close()

    asyncio.run(serve())


async def _sustained(port: int, count: int) -> tuple[list[int], float, MarketStream]:
    """Follow a flood; return how late each diff was in the book, ms, the share of a core that it took, and the stream."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"lastUpdateId": 2, "E": MS, "T": MS, "bids": [], "asks": []})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    rest = f"http://127.0.0.1:{runner.addresses[0][1]}"
    where = Addresses(rest, f"ws://127.0.0.1:{port}", f"ws://127.0.0.1:{port}")
    client = BinanceClient(SessionConfig("binance-usdm", "custom", addresses=where), AiohttpTransport(), jitter=lambda: 0.0)
    late: list[int] = []
    done = asyncio.Event()

    def take(events: MarketEvents) -> None:
        if events.kind == "depth":
            late.append(time.time_ns() // 10**6 - events.exch_ts // 10**6)
        if stream.feed("BTCUSDT").sync.last_id > count:
            done.set()

    stream = MarketStream(client, PicowsConnector(), ["BTCUSDT"], ["depth@100ms"], take, jitter=lambda: 0.0)
    stream.feed("BTCUSDT").decoder.decode(moving_diff(1), MS * 10**6)  # loaded, before the flood begins
    begun, worked = time.perf_counter(), time.process_time()
    task = asyncio.ensure_future(stream.run())
    await asyncio.wait_for(done.wait(), 60 + count / 1_000)
    share = (time.process_time() - worked) / (time.perf_counter() - begun)
    stream.stop()
    await task
    await client.close()
    await runner.cleanup()
    return late, share, stream


def sustained_line(count: int, rate: int = 20_000) -> Line:
    """Receive, decode, check and book diffs at the asked rate for as long as they last."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_flood, args=(theirs, count, rate), daemon=True)
    process.start()
    try:
        late, share, stream = asyncio.run(_sustained(ours.recv(), count))
    finally:
        ours.close()
        theirs.close()
        process.join(10)
        process.terminate()
    if stream.feed("BTCUSDT").sync.counts.gaps:
        raise RuntimeError("a gap in a flood without any")
    begin, end = late[len(late) // 10 : len(late) // 5], late[-len(late) // 10 :]
    kept_up = sorted(end)[len(end) // 2] <= sorted(begin)[len(begin) // 2] + 20
    figure = f"{share:.0%} of a core; late at the end p50 {sorted(end)[len(end) // 2]} ms"
    check = f"{len(late):,} of {count:,} diffs published, {stream.feed('BTCUSDT').sync.book.level_count:,} levels"
    return Line(
        f"{rate:,} diffs a second by WebSocket to the book, for {count / rate:.1f} s", figure, "keeps up", kept_up, check
    )


def measure(scale: int, repeats: int, memory: int) -> str:
    """Run every load, `scale` times smaller than the figures ask, and return the table."""
    lines = [
        *decode_lines(max(90_000 // scale, 200), repeats),
        book_line(max(90_000 // scale, 200), repeats),
        sustained_line(max(600_000 // scale, 200)),
        *asyncio.run(_loopback(max(2_000 // scale, 20))),
        memory_line(max(memory, 100)),
    ]
    machine = f"{platform.system()}, {os.cpu_count()} cores; Python {platform.python_version()}."
    head = "| load | measured | asked |  | came to |\n| --- | ---: | ---: | --- | --- |"
    return "\n".join(
        [
            f"{machine} Rates are of processor time, the best of {repeats} runs.",
            "",
            head,
            *(line.markdown() for line in lines),
        ]
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write the table into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="divide every size but that of --memory by this")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, default=10_000_000, help="diffs of the memory load")
    parser.add_argument("--only-memory", action="store_true", help="run the memory load alone and print it")
    parser.add_argument("--write", type=Path, help="page with marks to write the table into")
    options = parser.parse_args(arguments)
    if options.only_memory:
        print(memory_line(options.memory).markdown())
        return
    text = measure(options.scale, options.repeats, options.memory)
    print(text)
    if options.write:
        write_between_marks(options.write, text)


if __name__ == "__main__":
    main()

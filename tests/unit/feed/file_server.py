"""A server of files that breaks off, refuses ranges, or changes its mind, as a test asks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web

__all__ = ["FileServer", "serving"]


@dataclass
class FileServer:
    """What it serves, and how; `requests` are (path, Range header) in order."""

    files: dict[str, bytes] = field(default_factory=dict)
    has_ranges: bool = True
    breaks_after: list[int] = field(default_factory=list)  # bytes of each answer to come before it breaks off
    refusals: list[int] = field(default_factory=list)  # statuses of answers to come
    requests: list[tuple[str, str]] = field(default_factory=list)
    base: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path, request.headers.get("Range", "")))
        if self.refusals:
            return web.Response(status=self.refusals.pop(0))
        data = self.files.get(request.path)
        if data is None:
            return web.Response(status=404)
        tag = f'"{sha256(data).hexdigest()[:8]}"'
        begin = 0
        if self.has_ranges and "Range" in request.headers and request.headers.get("If-Range", tag) == tag:
            begin = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        headers = {"Content-Length": str(len(data) - begin), "ETag": tag}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        response = web.StreamResponse(status=206 if begin else 200, headers=headers)
        await response.prepare(request)
        if self.breaks_after:
            await response.write(data[begin : begin + self.breaks_after.pop(0)])
            assert request.transport is not None
            request.transport.close()
            return response
        await response.write(data[begin:])
        return response


@contextmanager
def serving() -> Iterator[FileServer]:
    """Serve on a free port of this machine, in a thread."""
    server = FileServer()
    loop = asyncio.new_event_loop()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/{name:.*}", server.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    runner = loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()

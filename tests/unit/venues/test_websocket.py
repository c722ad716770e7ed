"""Frames over real sockets of this machine: text, fragments, pings, closes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import struct
import sys
from collections.abc import Awaitable, Callable

import pytest

from queuefront.core import ConfigError
from queuefront.venues.websocket import MESSAGE_BYTES_MAX, Link, LinkError, PicowsConnector

TEXT, PING, PONG, CLOSE, CONTINUATION = 1, 9, 10, 8, 0


def frame(kind: int, payload: bytes, *, is_final: bool = True) -> bytes:
    head = bytes([(0x80 if is_final else 0) | kind])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    return head + bytes([127]) + struct.pack(">Q", len(payload)) + payload


class Server:
    """The venue's side, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> tuple[int, bytes]:
        kind, length = await self.reader.readexactly(2)
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(length & 0x7F)
        return kind & 0x0F, bytes(b ^ mask[i % 4] for i, b in enumerate(masked))

    def say(self, data: bytes) -> None:
        self.writer.write(data)


Heard = list[bytes | None]


async def talk(scene: Callable[[Server, Link, Heard, list[str]], Awaitable[None]]) -> None:
    ready: asyncio.Future[Server] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        ready.set_result(Server(reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard: Heard = []
    ends: list[str] = []
    port = server.sockets[0].getsockname()[1]
    link = await PicowsConnector().connect(f"ws://127.0.0.1:{port}/ws", heard.append, ends.append, 5.0)
    venue = await ready
    await asyncio.wait_for(scene(venue, link, heard, ends), 10)
    link.close()
    link.close()
    venue.writer.close()
    server.close()


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_texts_go_both_ways_and_any_frame_is_a_sign_of_life() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        link.send(b'{"a":1}')
        assert await venue.read() == (TEXT, b'{"a":1}')
        venue.say(frame(TEXT, b"hello") + frame(PONG, b""))
        await until(lambda: len(heard) == 2)
        assert heard == [b"hello", None]

    asyncio.run(talk(scene))


def test_a_ping_of_the_venue_is_answered_with_its_payload() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        venue.say(frame(PING, b"1700000000"))
        assert await venue.read() == (PONG, b"1700000000")
        assert heard == [None]

    asyncio.run(talk(scene))


def test_our_ping_is_a_ping() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        link.ping()
        assert (await venue.read())[0] == PING

    asyncio.run(talk(scene))


def test_fragments_are_joined() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        venue.say(frame(TEXT, b'{"a"', is_final=False) + frame(PING, b"") + frame(CONTINUATION, b":1", is_final=False))
        venue.say(frame(CONTINUATION, b"}"))
        await until(lambda: b'{"a":1}' in heard)

    asyncio.run(talk(scene))


def test_fragments_without_end_are_cut_off() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        part = bytes(MESSAGE_BYTES_MAX // 2 + 1)
        venue.say(frame(TEXT, part, is_final=False) + frame(CONTINUATION, part, is_final=False))
        await until(lambda: ends)
        assert ends == ["a message longer than any that the venue sends"]

    asyncio.run(talk(scene))


def test_a_close_tells_its_code_and_a_broken_connection_that_it_broke() -> None:
    async def closes(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        venue.say(frame(CLOSE, struct.pack(">H", 1008)))
        await until(lambda: ends)
        assert ends == ["closed by the venue, code 1008"]
        with pytest.raises(LinkError, match=r"^the connection is closed$"):
            link.send(b"x")

    async def breaks(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        venue.writer.close()
        await until(lambda: ends)
        assert ends == ["the connection broke"]
        with pytest.raises(LinkError, match=r"^the connection is closed$"):
            link.ping()

    asyncio.run(talk(closes))
    asyncio.run(talk(breaks))


def test_what_we_close_ourselves_is_not_told() -> None:
    async def scene(venue: Server, link: Link, heard: Heard, ends: list[str]) -> None:
        link.close()
        venue.say(frame(TEXT, b"late"))
        await asyncio.sleep(0.05)
        assert (heard, ends) == ([], [])

    asyncio.run(talk(scene))


def test_where_nobody_listens_or_speaks_otherwise_there_is_no_link() -> None:
    async def main() -> None:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connector = PicowsConnector()
        with pytest.raises(LinkError) as caught:
            await connector.connect(f"ws://127.0.0.1:{port}/ws/{'k' * 60}", print, print, 2.0)
        assert "k" * 60 not in str(caught.value)
        server.close()
        await server.wait_closed()
        with pytest.raises(LinkError):
            await connector.connect(f"ws://127.0.0.1:{port}/", print, print, 2.0)

    asyncio.run(main())


def test_without_picows_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picows", None)
    with pytest.raises(ConfigError) as caught:
        PicowsConnector()
    assert str(caught.value) == "streams need picows; install it with: pip install 'queuefront[live]'"

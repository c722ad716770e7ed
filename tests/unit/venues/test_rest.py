"""What became of a request: what is repeated, what never is, and that nothing is guessed."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable

import pytest

from queuefront.core import ConfigError
from queuefront.venues.outcome import Done, Outcome, Reason, Refused, Unknown
from queuefront.venues.rate_limit import Counted, Limit, RateLimiter
from queuefront.venues.rest import (
    AiohttpTransport,
    Call,
    NotSentError,
    Reply,
    RestClient,
    SilenceError,
    Wire,
)
from tests.virtual_time import VirtualLoop, run

S = 10**9
ASK = Call("GET", "/ask", is_repeatable=True)
PLACE = Call("POST", "/order", is_signed=True, orders=1)
OK = Reply(200, {}, b"{}")
BUSY = Reply(503, {}, b"busy")
BROKEN = Reply(500, {}, b"?")
LATE = Reply(400, {}, b"late")
TOO_MANY = Reply(429, {}, b"7")
BANNED = Reply(418, {}, b"120")

Step = Reply | Exception | float


class Script:
    """A transport that answers by a script; a number lets that many seconds pass without an answer."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.sent: list[Wire] = []
        self.is_closed = False

    async def send(self, wire: Wire, timeout_s: float) -> Reply:
        self.sent.append(wire)
        step = self.steps.pop(0)
        if isinstance(step, float):
            await asyncio.sleep(step)
            return OK
        if isinstance(step, Exception):
            raise step
        return step

    async def close(self) -> None:
        self.is_closed = True


def classify(reply: Reply) -> Outcome[bytes]:
    if reply.status == 200:
        return Done(reply.body)
    known = {503: Reason.BUSY, 400: Reason.TIMESTAMP, 429: Reason.RATE_LIMITED, 418: Reason.IP_BANNED}
    if reply.status in known:
        wait_ns = int(reply.body) * S if reply.status in (429, 418) else 0
        return Refused(known[reply.status], retry_after_ns=wait_ns)
    return Unknown(f"status {reply.status}")


class Desk:
    """A client over a script, in virtual time."""

    def __init__(self, loop: VirtualLoop, *steps: Step, limits: tuple[Limit, ...] = ()) -> None:
        self.transport = Script(*steps)
        self.limiter = RateLimiter(limits)
        self.resynchronised = 0
        self.observed: list[int] = []
        self.client = RestClient(
            self.transport,
            self.limiter,
            prepare=lambda call: Wire(call.method, f"http://x{call.path}?n={len(self.transport.sent)}", {}, b""),
            classify=classify,
            observe=lambda reply, _: self.observed.append(reply.status),
            resynchronise=self.resynchronise,
            jitter=lambda: 0.0,
            clock=loop.now_ns,
        )

    async def resynchronise(self) -> None:
        self.resynchronised += 1


def outcome_of(call: Call, *steps: Step, limits: tuple[Limit, ...] = (), deadline_s: float = 10.0) -> tuple[object, Desk]:
    async def main(loop: VirtualLoop) -> tuple[object, Desk]:
        desk = Desk(loop, *steps, limits=limits)
        return await desk.client.send(call, deadline_s), desk

    return run(main)


def test_an_answer_is_done() -> None:
    assert outcome_of(PLACE, OK)[0] == Done(b"{}")


@pytest.mark.parametrize("step", [SilenceError("cut"), BROKEN, 60.0])
def test_an_order_without_an_answer_is_unknown_and_never_sent_again(step: Step) -> None:
    outcome, desk = outcome_of(PLACE, step, OK)
    assert isinstance(outcome, Unknown)
    assert len(desk.transport.sent) == 1


def test_the_text_says_what_was_asked_and_what_is_missing() -> None:
    assert outcome_of(PLACE, SilenceError("cut"))[0] == Unknown("POST /order: no complete answer: cut")
    assert outcome_of(PLACE, 60.0)[0] == Unknown("POST /order: no complete answer: deadline reached")


def test_a_question_is_repeated_until_it_is_answered() -> None:
    outcome, desk = outcome_of(ASK, SilenceError("cut"), BROKEN, BUSY, OK)
    assert outcome == Done(b"{}")
    assert len(desk.transport.sent) == 4
    assert len({wire.url for wire in desk.transport.sent}) == 4  # prepared anew each time


def test_a_question_is_asked_four_times_at_most() -> None:
    outcome, desk = outcome_of(ASK, *[BROKEN] * 9)
    assert outcome == Unknown("status 500")
    assert len(desk.transport.sent) == 4


def test_a_repetition_that_would_pass_the_deadline_is_left_out() -> None:
    outcome, desk = outcome_of(ASK, BROKEN, OK, deadline_s=0.4)
    assert outcome == Unknown("status 500")
    assert len(desk.transport.sent) == 1


def test_an_order_that_could_not_be_sent_is_refused_because_the_venue_never_saw_it() -> None:
    outcome, desk = outcome_of(PLACE, NotSentError("refused"), OK)
    assert outcome == Refused(Reason.NOT_SENT, text="POST /order: no connection: refused")
    assert len(desk.transport.sent) == 1


def test_a_question_that_could_not_be_sent_is_repeated() -> None:
    assert outcome_of(ASK, NotSentError("refused"), OK)[0] == Done(b"{}")


def test_after_a_refused_time_the_clock_is_set_and_even_an_order_is_sent_once_more() -> None:
    outcome, desk = outcome_of(PLACE, LATE, OK)
    assert outcome == Done(b"{}")
    assert desk.resynchronised == 1
    outcome, desk = outcome_of(PLACE, LATE, LATE, OK)
    assert outcome == Refused(Reason.TIMESTAMP)
    assert len(desk.transport.sent) == 2


@pytest.mark.parametrize(("reply", "reason"), [(TOO_MANY, Reason.RATE_LIMITED), (BANNED, Reason.IP_BANNED)])
def test_after_too_many_requests_nothing_is_sent_for_as_long_as_the_venue_asks(reply: Reply, reason: Reason) -> None:
    async def main(loop: VirtualLoop) -> None:
        desk = Desk(loop, reply, OK)
        assert isinstance(await desk.client.send(ASK), Refused)
        assert desk.limiter.is_banned is (reason is Reason.IP_BANNED)
        pause_s = int(reply.body)
        begun = loop.time()
        refused = await desk.client.send(ASK, deadline_s=1.0)
        assert refused == Refused(
            reason, text="not sent: the limit leaves no room before the deadline", retry_after_ns=pause_s * S
        )
        assert await desk.client.send(ASK, deadline_s=200.0) == Done(b"{}")
        assert loop.time() - begun == pytest.approx(pause_s)

    run(main)


def test_a_limit_is_waited_for_and_what_has_no_time_for_it_is_not_sent() -> None:
    async def main(loop: VirtualLoop) -> None:
        desk = Desk(loop, OK, OK, limits=(Limit(Counted.WEIGHT, 60 * S, 1),))
        await desk.client.send(ASK)
        refused = await desk.client.send(ASK, deadline_s=5.0)
        assert isinstance(refused, Refused)
        assert len(desk.transport.sent) == 1
        await desk.client.send(ASK, deadline_s=61.0)
        assert len(desk.transport.sent) == 2
        assert desk.observed == [200, 200]

    run(main)


def test_the_repr_of_a_wire_shows_no_signature() -> None:
    wire = Wire("GET", "https://x/a?b=1&signature=abc", {"X-MBX-APIKEY": "k"}, b"")
    assert repr(wire) == "Wire(GET https://x/a?b=1&signature=***)"


def test_without_aiohttp_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigError) as caught:
        AiohttpTransport()
    assert str(caught.value) == "venues need aiohttp; install it with: pip install 'queuefront[live]'"


# --- over a real socket on this machine ---------------------------------------------------------------------------------
async def served(answer: Callable[[bytes], bytes | None], wire_of: Callable[[int], Wire], timeout_s: float = 5.0) -> object:
    """Send one wire to a server that answers the raw request; None hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"Content-Length" in head:
            head += await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        reply = answer(head)
        if reply is not None:
            writer.write(reply)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    transport = AiohttpTransport()
    try:
        return await transport.send(wire_of(server.sockets[0].getsockname()[1]), timeout_s)
    except (NotSentError, SilenceError) as e:
        return e
    finally:
        await transport.close()
        await transport.close()
        server.close()
        await server.wait_closed()


def test_the_bytes_that_were_signed_are_the_bytes_that_arrive() -> None:
    """H8.30, H8.32: content type declared, percent-encoding untouched."""
    seen: list[bytes] = []

    def answer(head: bytes) -> bytes:
        seen.append(head)
        return b"HTTP/1.1 200 OK\r\nX-MBX-USED-WEIGHT-1M: 5\r\nContent-Length: 2\r\n\r\n{}"

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = asyncio.run(
        served(answer, lambda port: Wire("POST", f"http://127.0.0.1:{port}/a?s=%EF%BC%91%2Fx", form, b"id=a%2Fb%26c"))
    )
    assert isinstance(reply, Reply)
    assert (reply.status, reply.headers["x-mbx-used-weight-1m"], reply.body) == (200, "5", b"{}")
    assert seen[0].startswith(b"POST /a?s=%EF%BC%91%2Fx HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded\r\n" in seen[0]
    assert seen[0].endswith(b"\r\n\r\nid=a%2Fb%26c")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    reply = asyncio.run(
        served(
            lambda _: b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            lambda port: Wire("GET", f"http://127.0.0.1:{port}/", {}, b""),
        )
    )
    assert isinstance(reply, Reply)
    assert reply.status == 302


def test_a_connection_cut_before_the_end_of_the_answer_is_silence() -> None:
    for cut in (None, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"):
        error = asyncio.run(served(lambda _, cut=cut: cut, lambda p: Wire("GET", f"http://127.0.0.1:{p}/", {}, b"")))
        assert isinstance(error, SilenceError)


def test_a_port_where_nobody_listens_means_not_sent() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def main() -> None:
        transport = AiohttpTransport()
        with pytest.raises(NotSentError):
            await transport.send(Wire("GET", f"http://127.0.0.1:{port}/", {}, b""), 2.0)
        await transport.close()

    asyncio.run(main())


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "GET"])
def test_a_request_on_a_kept_connection_that_breaks_is_not_sent_again_behind_our_back(method: str) -> None:
    """HTTP calls PUT and DELETE repeatable; a modified order is not, and whether to ask again is decided here."""
    arrived: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                arrived.append((await reader.readuntil(b"\r\n\r\n")).split(b" ")[0])
            except asyncio.IncompleteReadError:
                break
            if len(arrived) == 2:
                break  # cut after the second request, without an answer
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        wire = Wire(method, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/order", {}, b"")
        transport = AiohttpTransport()
        await transport.send(wire, 5.0)
        with pytest.raises(SilenceError):
            await transport.send(wire, 5.0)
        await transport.close()
        server.close()

    asyncio.run(main())
    assert arrived == [method.encode()] * 2

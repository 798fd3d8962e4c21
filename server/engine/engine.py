"""An Engine.IO v4 server for aiohttp behind python-engineio's interface."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import engineio
from aiohttp import web
from engineio.async_drivers.aiohttp import translate_request

from .addresses import Addresses, Gate
from .complaints import Complaints
from .connection import Connection, open_packet
from .deadlines import LOOK_SECONDS, Clock
from .emit import encode_packet
from .entrance import Knock, Rejection, bad_request, forbidden, read_knock, shutting_down, unknown_sid
from .frames import frame
from .origins import Origins
from .plain import PlainReceiver
from .polling import answer_poll, take_post, text_response
from .ports import Reason, State
from .takeover import TAKEN, Taken
from .upgrade import Guard, Upgrade
from .websocket import open_websocket

if TYPE_CHECKING:
    from .limits import Limits
    from .ports import Receiver


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # it ships no types
    """Takes requests, keeps connections and their deadlines."""

    def __init__(self, *, limits: Limits, compression: bool = False, **options: Any) -> None:
        super().__init__(async_mode="aiohttp", **options)
        self.limits = limits
        self._compression = compression
        self.queued_bytes = limits.queued_bytes
        self.sockets: dict[str, Connection] = {}
        self.complaints = Complaints(limits.log_lines_per_second)
        self.receiver: Receiver = PlainReceiver(self)
        self._addresses = Addresses(limits.trusted_proxies)
        self._origins = Origins(self.cors_allowed_origins, self._addresses, credentials=self.cors_credentials)
        self._gate = Gate(limits.handshakes_per_second, limits.handshake_burst)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._is_shut = False
        self._attempts: dict[str, Upgrade] = {}
        self._clock: Clock[Connection] = Clock(self._wake_at)
        self._pings = self._clock.kind(self.ping_interval, self._ping)
        self._pongs = self._clock.kind(self.ping_timeout, self._no_pong)
        self._connects = self._clock.kind(limits.connect_seconds, self._no_connect)
        self._upgrades = self._clock.kind(limits.upgrade_seconds, self._no_upgrade)
        self._closes = self._clock.kind(limits.close_seconds, self._never_polled)

    # -- time

    def _now(self) -> float:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()

    def _wake_at(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None and not self._closing:
            self._timer = self._loop.call_at(at, self._wake, at)

    def _wake(self, at: float) -> None:
        now = self._now()
        if self._loop is not None and now - at > LOOK_SECONDS:
            # The process stood still. Before anyone is taken for dead, what they sent meanwhile is to be read, and
            # uvloop looks at its timers first.
            self._timer = self._loop.call_later(LOOK_SECONDS, self._wake_late)
        else:
            self._clock.wake(now)

    def _wake_late(self) -> None:
        self._clock.wake(self._now())

    def _ping(self, connection: Connection, at: float) -> None:
        # Counted from when the ping was due, so that a busy loop does not stretch the deadline; but who was not asked
        # because the process stood still has all the time to answer.
        now = self._now()
        self._clock.start(self._pongs, connection, at if now - at <= 2 * LOOK_SECONDS else now)
        connection.ping()

    def _no_pong(self, connection: Connection, at: float) -> None:
        if connection.busy is not None and connection.busy.paused:
            # Its answer may wait behind what we do not read yet.
            self._clock.start(self._pongs, connection, at)
        else:
            connection.fail(Reason.PING_TIMEOUT)

    def _no_connect(self, connection: Connection, _: float) -> None:
        connection.fail(Reason.NO_CONNECT)

    def _no_upgrade(self, connection: Connection, _: float) -> None:
        attempt = self._attempts.get(connection.sid)
        if attempt is not None:
            attempt.give_up()

    def _never_polled(self, connection: Connection, _: float) -> None:
        connection.abort(Reason.SERVER)
        self.sockets.pop(connection.sid, None)

    def await_connect(self, connection: Connection) -> None:
        """Gives a connection `connect_seconds` to do what the layer above expects."""
        if connection.state is State.OPEN:
            self._clock.start(self._connects, connection, self._now())

    def stop_awaiting(self, connection: Connection) -> None:
        """It has."""
        self._connects.stop(connection)

    # -- what connections tell

    def received(self, connection: Connection, data: str | bytes) -> None:
        """Passes a message on."""
        self.receiver.received(connection, data)

    async def drained(self, connection: Connection) -> None:
        """Returns when the connection may send more."""
        await self.receiver.drained(connection)

    def pong(self, connection: Connection) -> None:
        """Goes on to the next ping; an answer to no ping is ignored."""
        if self._pongs.stop(connection):
            self._clock.start(self._pings, connection, self._now())

    def upgraded(self, connection: Connection) -> None:
        """An upgrade is over, one way or the other."""
        self._upgrades.stop(connection)
        self._attempts.pop(connection.sid, None)

    def complain(self, connection: Connection, what: str) -> None:
        """Logs a client's misbehaviour, within bounds."""
        self.complaints.add(connection.remote, what)

    def closed(self, connection: Connection, reason: str) -> None:
        """Frees what a connection held."""
        self._clock.stop(connection)
        attempt = self._attempts.pop(connection.sid, None) if self._attempts else None
        if attempt is not None:
            attempt.give_up()
        if connection.state is State.CLOSING:
            self._clock.start(self._closes, connection, self._now())
        else:
            self.sockets.pop(connection.sid, None)
        self.receiver.closed(connection, reason)

    # -- requests

    def attach(self, app: web.Application, engineio_path: str = "engine.io") -> None:
        """Serves `engineio_path` in an application, and ends with it."""
        app.router.add_route("*", f"/{engineio_path.strip('/')}/", self.handle_request)
        app.on_shutdown.append(self.shutdown)

    async def handle_request(self, request: web.Request) -> web.StreamResponse:
        """Answers one request of a client."""
        response: web.StreamResponse
        try:
            response = await self._answer(request)
        except Rejection as rejection:
            response = web.json_response(
                {"code": rejection.code, "message": rejection.message},
                status=rejection.status,
                headers=rejection.headers,
            )
        if not isinstance(response, Taken) and self._origins.allow(request):
            response.headers.update(self._origins.headers(request))
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self._origins.allow(request):
            raise forbidden("Origin not allowed")
        if request.method == "OPTIONS":
            return web.Response(status=204)
        knock = read_knock(request, self.transports)
        if knock.sid is None:
            return await self._open(request, knock)
        self._clock.wake_if_late(self._now())
        connection = self.sockets.get(knock.sid)
        if connection is None:
            raise unknown_sid()
        if knock.websocket:
            return self._upgrade(request, connection)
        if connection.upgraded:
            raise bad_request()
        if request.method == "POST":
            await take_post(request, connection, self.limits)
            return web.Response(text="ok", content_type="text/html")
        return await self._poll(request, connection)

    async def _poll(self, request: web.Request, connection: Connection) -> web.Response:
        payload = await answer_poll(request, connection)
        if connection.state is State.CLOSED:
            self._closes.stop(connection)
            self.sockets.pop(connection.sid, None)
        return text_response(request, payload, compress=self.http_compression)

    # -- opening

    async def _open(self, request: web.Request, knock: Knock) -> web.StreamResponse:
        remote = self._addresses.of(request)
        if self._is_shut:
            raise shutting_down()
        if not self._gate.admits(remote, self._now()):
            raise forbidden("Too many connections", 429)
        sid = self.generate_id()
        if self.receiver.asks_first:
            await self._ask(request, sid, remote)
        elif request.transport is None:
            raise bad_request()
        connection = Connection(self, sid, remote)
        first = self._welcome(sid, websocket=knock.websocket)
        if knock.websocket:
            guard = Guard(connection)
            link = open_websocket(
                request,
                frame_bytes=self.limits.message_bytes,
                queued_bytes=self.limits.queued_bytes,
                on_payload=partial(self.receiver.take_event, connection),
                on_text=guard.received,
                on_binary=guard.received,
                on_close=guard.closed,
                first=frame(first),
                compression=self._compression,
            )
            connection.attach(link)
        self.sockets[sid] = connection
        self._clock.start(self._pings, connection, self._now())
        self.receiver.opened(connection)
        if knock.websocket:
            return TAKEN
        response = text_response(request, first.decode(), compress=False)
        self._set_cookie(response, sid)
        return response

    async def _ask(self, request: web.Request, sid: str, remote: str) -> None:
        """Asks the handler of "connect" whether a client may come in."""
        environ = translate_request(request)
        environ["REMOTE_ADDR"] = remote
        answer = await self._trigger_event("connect", sid, environ, run_async=False)
        if answer is not None and answer is not True:
            raise forbidden(str(answer or "Unauthorized"), 401)
        if request.transport is None:
            await self._trigger_event("disconnect", sid, Reason.TRANSPORT_CLOSE, run_async=False)
            raise bad_request()

    def _welcome(self, sid: str, *, websocket: bool) -> bytes:
        able = self.allow_upgrades and "websocket" in self.transports and not websocket
        return open_packet(
            sid,
            ["websocket"] if able else [],
            self.ping_interval,
            self.ping_timeout,
            self.limits.message_bytes,
        )

    def _set_cookie(self, response: web.Response, sid: str) -> None:
        if self.cookie:
            named = {"name": self.cookie, "path": "/", "SameSite": "Lax"}
            attributes = self.cookie if isinstance(self.cookie, dict) else named
            response.headers["Set-Cookie"] = self._generate_sid_cookie(sid, attributes)

    def _upgrade(self, request: web.Request, connection: Connection) -> web.StreamResponse:
        attempt = Upgrade(connection, self.receiver)
        attempt.socket = open_websocket(
            request,
            frame_bytes=self.limits.message_bytes,
            queued_bytes=self.limits.queued_bytes,
            on_payload=attempt.took,
            on_text=attempt.received,
            on_binary=attempt.received,
            on_close=attempt.closed,
            compression=self._compression,
        )
        if connection.upgraded or connection.sid in self._attempts or not self.allow_upgrades:
            attempt.refuse()
        else:
            self._attempts[connection.sid] = attempt
            self._clock.start(self._upgrades, connection, self._now())
        return TAKEN

    # -- python-engineio's interface

    def _get_socket(self, sid: str) -> Connection:
        found = self.sockets.get(sid)
        if found is None or found.closed:
            raise KeyError("Session not found")
        return found

    def transport(self, sid: str) -> str:
        """`"polling"` or `"websocket"`."""
        return "websocket" if self._get_socket(sid).upgraded else "polling"

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Queues a packet of python-engineio's for a client; ignored when it is gone."""
        connection = self.sockets.get(sid)
        if connection is not None:
            connection.send(encode_packet(pkt))

    async def disconnect(self, sid: str | None = None) -> None:
        """Closes one connection, or all."""
        chosen = [self.sockets.get(sid)] if sid is not None else list(self.sockets.values())
        for connection in chosen:
            if connection is not None:
                connection.close()

    def shut(self) -> None:
        """Lets nobody new in from now on; who is here stays."""
        self._is_shut = True

    async def shutdown(self, _: web.Application | None = None) -> None:
        """Closes every connection and stops the clock; needed before the loop ends."""
        self._closing = True
        self.shut()
        await self.disconnect()
        for attempt in list(self._attempts.values()):
            attempt.give_up()

"""An Engine.IO v4 server for aiohttp behind python-engineio's interface."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

import engineio
from aiohttp import web
from engineio.async_drivers.aiohttp import translate_request

from server.randomness import RandomText

from .addresses import Addresses, Gate
from .complaints import Complaints
from .connection import Connection, open_packet
from .emit import encode_packet
from .entrance import Knock, Rejection, bad_request, forbidden, read_knock, shutting_down, unknown_sid
from .frames import frame
from .origins import Origins
from .plain import PlainReceiver
from .polling import answer_poll, take_post, text_response
from .ports import Reason, State
from .takeover import TAKEN, Taken
from .timeouts import Timeouts
from .upgrade import Guard, Upgrade
from .websocket import open_websocket

if TYPE_CHECKING:
    from .limits import Limits
    from .ports import Receiver


def _spell(random_bytes: bytes) -> str:
    return urlsafe_b64encode(random_bytes).decode()


# As long and as random as python-engineio's.
_random_id: Final = RandomText(15, _spell).fresh


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
        self._is_shut = False
        self._attempts: dict[str, Upgrade] = {}
        self.timeouts = Timeouts(
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            limits=limits,
            on_slow_upgrade=self._slow_upgrade,
            on_never_polled=self._never_polled,
        )

    # -- what connections tell

    def received(self, connection: Connection, data: str | bytes) -> None:
        """Passes a message on."""
        self.receiver.received(connection, data)

    async def drained(self, connection: Connection) -> None:
        """Returns when the connection may send more."""
        await self.receiver.drained(connection)

    def pong(self, connection: Connection) -> None:
        """Goes on to the next ping."""
        self.timeouts.pong(connection)

    def upgraded(self, connection: Connection) -> None:
        """An upgrade is over, one way or the other."""
        self.timeouts.upgraded(connection)
        self._attempts.pop(connection.sid, None)

    def complain(self, connection: Connection, what: str) -> None:
        """Logs a client's misbehaviour, within bounds."""
        self.complaints.add(connection.remote, what)

    def closed(self, connection: Connection, reason: str) -> None:
        """Frees what a connection held."""
        self.timeouts.closed(connection)
        attempt = self._attempts.pop(connection.sid, None) if self._attempts else None
        if attempt is not None:
            attempt.give_up()
        if connection.state is not State.CLOSING:
            self.sockets.pop(connection.sid, None)
        self.receiver.closed(connection, reason)

    def _slow_upgrade(self, connection: Connection) -> None:
        attempt = self._attempts.get(connection.sid)
        if attempt is not None:
            attempt.give_up()

    def _never_polled(self, connection: Connection) -> None:
        connection.abort(Reason.SERVER)
        self.sockets.pop(connection.sid, None)

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
        self.timeouts.catch_up()
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
            self.timeouts.fetched(connection)
            self.sockets.pop(connection.sid, None)
        return text_response(request, payload, compress=self.http_compression)

    # -- opening

    async def _open(self, request: web.Request, knock: Knock) -> web.StreamResponse:
        remote = self._addresses.of(request)
        if self._is_shut:
            raise shutting_down()
        if not self._gate.admits(remote, self.timeouts.now()):
            raise forbidden("Too many connections", 429)
        sid = self.generate_id()
        if self.receiver.asks_first:
            await self._ask(request, sid, remote)
        elif request.transport is None:
            raise bad_request()
        connection = Connection(self, sid, remote)
        first = self._welcome(sid, websocket=knock.websocket)
        if knock.websocket:
            link = open_websocket(
                request,
                Guard(connection, self.receiver),
                frame_bytes=self.limits.message_bytes,
                queued_bytes=self.limits.queued_bytes,
                first=frame(first),
                compression=self._compression,
            )
            connection.attach(link)
        self.sockets[sid] = connection
        self.timeouts.opened(connection)
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
            attempt,
            frame_bytes=self.limits.message_bytes,
            queued_bytes=self.limits.queued_bytes,
            compression=self._compression,
        )
        if connection.upgraded or connection.sid in self._attempts or not self.allow_upgrades:
            attempt.refuse()
        else:
            self._attempts[connection.sid] = attempt
            self.timeouts.upgrading(connection)
        return TAKEN

    # -- python-engineio's interface

    def generate_id(self) -> str:
        """A fresh id for a connection, or for a client in a namespace: 120 random bits in 20 characters."""
        return _random_id()

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
        self.timeouts.stop()
        self.shut()
        await self.disconnect()
        for attempt in list(self._attempts.values()):
            attempt.give_up()

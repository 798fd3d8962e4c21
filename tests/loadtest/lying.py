"""A server that speaks like ours and breaks one promise, on purpose."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

if TYPE_CHECKING:
    from collections.abc import Callable

Json = dict[str, Any]
# Every so many messages there is a lie.
OFTEN = 5


class LyingServer:
    """One room after another; `lie` says what is done to every fifth message. Without a lie it is honest."""

    def __init__(self, lie: str = "") -> None:
        self.lie = lie
        self.rooms: dict[str, list[web.WebSocketResponse]] = {}
        self.heads: dict[str, int] = {}
        self.kept: dict[str, Json] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/health/live", self._fine)
        app.router.add_post("/api/sessions", self._create)
        app.router.add_delete("/api/sessions/{id}", self._fine)
        app.router.add_get("/socket.io/", self._socket)
        return app

    async def _fine(self, _: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {}})

    async def _create(self, _: web.Request) -> web.Response:
        id_ = str(len(self.rooms))
        self.rooms[id_], self.heads[id_] = [], 0
        return web.json_response({"success": True, "data": {"id": id_}}, status=201)

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str('0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
        room = ""
        async for packet in socket:
            if packet.type is not WSMsgType.TEXT:
                continue
            if packet.data.startswith("40"):
                room = json.loads(packet.data[2:])["session_id"]
                await socket.send_str('40{"sid":"x"}')
                await socket.send_str(event("session_joined", {"head": self.heads[room]}))
                self.rooms[room].append(socket)
            elif packet.data.startswith("42"):
                ack_id, _, rest = packet.data[2:].partition("[")
                await self._message(room, socket, ack_id, json.loads("[" + rest)[1])
        return socket

    async def _message(self, room: str, sender: web.WebSocketResponse, ack_id: str, said: Json) -> None:
        self.heads[room] += 1
        seq = self.heads[room]
        lies = self.lie if seq % OFTEN == 0 else ""
        told = {"seq": seq, "message": said["message"], "client_message_id": said["client_message_id"]}
        *others, last = self.rooms[room]
        for socket in others:
            await socket.send_str(event("message_received", told))
        for shown in self._shown(room, told, lies):
            await last.send_str(event("message_received", shown))
        answer = f'43{ack_id}[{{"success":true,"data":{{"seq":{seq + (lies == "another seq in the ack")}}}}}]'
        for _ in range({"no ack": 0, "two acks": 2}.get(lies, 1)):
            await sender.send_str(answer)
        if lies == "hang up":
            await last.close()
            self.rooms[room].remove(last)

    def _shown(self, room: str, told: Json, lies: str) -> list[Json]:
        """What the room's last listener hears instead of one message."""
        if lies == "late":
            self.kept[room] = told
        elif room in self.kept:
            return [told, self.kept.pop(room)]
        kinds: dict[str, Callable[[], list[Json]]] = {
            "drop": list,
            "late": list,
            "double": lambda: [told, told],
            "another seq": lambda: [{**told, "seq": told["seq"] + 1}],
        }
        return kinds.get(lies, lambda: [told])()


def event(name: str, said: Json) -> str:
    return "42" + json.dumps([name, said])


async def serve_app(app: web.Application) -> tuple[web.AppRunner, str]:
    """A running application and its address."""
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await asyncio.sleep(0)
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"

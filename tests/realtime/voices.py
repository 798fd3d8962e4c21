"""A spirit that says what a test wants, when it wants; and what a client saw of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from server import assembly
from server.core.ports import Outline, Summary, Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from server.core.ports import Scene
    from tests.services.js_client import JsSocket


class Script:
    """A provider whose turns say their pieces; `hold` keeps a turn before a piece until `go`."""

    name = "script"
    takes_notes = False

    def __init__(self, *pieces: str | Exception, hold: int | None = None) -> None:
        """Hold each turn before the piece with this index; past the last one, before its end."""
        self.pieces = pieces
        self.hold = hold
        self.scenes: list[Scene] = []
        self.held = asyncio.Event()
        self._going = asyncio.Event()

    def go(self) -> None:
        """Lets the held turn, and all later ones, go on."""
        self.hold = None
        self._going.set()

    async def speak(self, scene: Scene) -> AsyncIterator[Any]:
        self.scenes.append(scene)
        for index, piece in enumerate((*self.pieces, None)):
            if self.hold == index:
                self.held.set()
                await self._going.wait()
            if isinstance(piece, Exception):
                raise piece
            if piece is not None:
                yield piece

    def outline(self, scene: Scene) -> Outline:
        return Outline(tuple((message.user_name, message.text) for message in scene.messages), Usage(0, 0))

    async def summarise(self, *_: object) -> Summary:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Frees nothing."""

    def asked(self) -> list[list[str]]:
        """The texts of people that each turn was asked to answer, the whole past included."""
        return [[message.text for message in scene.messages if not message.is_spirit] for scene in self.scenes]


def scripted(monkeypatch: pytest.MonkeyPatch, script: Script) -> Script:
    """Servers that start from now on have this voice."""
    monkeypatch.setattr(assembly, "voice_of", lambda _: script)
    return script


async def finished(socket: JsSocket, reason: str = "completed") -> dict[str, Any]:
    """The next `spirit_finished`."""
    told: dict[str, Any] = (await socket.wait("spirit_finished")).args[0]
    assert told["reason"] == reason, told
    return told


def spoken(socket: JsSocket) -> list[str]:
    """What the spirit said, as messages."""
    return [event.args[0]["message"] for event in socket.named("message_received") if event.args[0]["is_spirit"]]


def deltas(socket: JsSocket, turn_id: str) -> str:
    """The deltas of a turn, joined."""
    found = [event.args[0] for event in socket.named("spirit_delta") if event.args[0]["turn_id"] == turn_id]
    assert [delta["index"] for delta in found] == list(range(len(found)))
    return "".join(delta["text"] for delta in found)


def thoughts(socket: JsSocket) -> list[str]:
    """The turns that the spirit was seen to think about."""
    return [event.args[0]["turn_id"] for event in socket.named("spirit_thinking")]

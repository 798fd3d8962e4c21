"""A few unmodified socket.io-clients with `retries`, which resend and recover by themselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from tests.services.js_client import LIBRARY, JsClient, JsError, JsEvent, JsSocket
from tests.services.node import ensure_node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from tests.faults.clients import Load

OPTIONS: Final = {
    "transports": ["websocket"],
    "retries": 100_000,
    "ackTimeout": 3_000,
    "reconnectionDelay": 100,
    "reconnectionDelayMax": 500,
    "timeout": 3_000,
}
ANSWER_SECONDS: Final = 120.0
RETURN_SECONDS: Final = 0.3


@dataclass
class Ear(JsSocket):
    """A socket that passes its events on and keeps none: a run has too many."""

    heard: Callable[[JsEvent], None] = field(kw_only=True)

    def saw(self, event: JsEvent) -> None:
        self.heard(event)


class JsSpeaker:
    """One socket of one person; what it hears is checked as the Node process tells it."""

    def __init__(self, load: Load, session_id: str, name: str, url: str) -> None:
        self.session_id = session_id
        self.last_seq = 0
        self.is_quiet = True
        self.recovered = 0
        self.socket: JsSocket | None = None
        self._load = load
        self._name = name
        self._url = url
        self._is_refused = asyncio.Event()
        self._refused: dict[str, Any] | None = None
        load.checker.begins(name, session_id)

    async def run(self, js: JsClient) -> None:
        auth = {"session_id": self.session_id, "user_id": self._name, "user_name": self._name, "last_seq": 0}
        js._sockets[self._name] = self.socket = Ear(js, self._name, heard=self._saw)
        options = {**OPTIONS, "auth": auth}
        await js.command("connect", socket=self._name, library=LIBRARY, url=self._url, options=options)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._return())
            tasks.create_task(self._speak())

    def _saw(self, event: JsEvent) -> None:
        now = self._load.at()
        match event.name:
            case "message_received":
                self.last_seq = event.args[0]["seq"]
                self._load.checker.heard(now, self._name, self.last_seq, event.args[0]["id"])
            case "session_joined":
                joined = event.args[0]
                replay = joined.get("replay") or {"after": joined["head"], "complete": True}
                self._load.checker.joined(now, self._name, replay["after"], joined["head"], complete=replay["complete"])
            case "connect":
                self.recovered += event.args[0]["recovered"]
            case "connect_error":
                self._refused = event.args[0]["data"]
                self._is_refused.set()
            case _:
                pass

    async def _speak(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(self._load.choice.expovariate(1 / self._load.pause_seconds))
            if self._load.speaks:
                count += 1
                await self._say(f"{self._name}-{count}")

    async def _say(self, key: str) -> None:
        assert self.socket is not None
        self.is_quiet = False
        self._load.checker.sent(self._load.at(), self._name, key)
        while True:
            try:
                said = {"message": key, "client_message_id": key}
                fault, envelope = await self.socket.call("send_message", said, seconds=ANSWER_SECONDS)
            except JsError:
                continue
            if fault is None and envelope["success"]:
                break
            self._load.count_refusal(envelope["error"]["code"])
            await asyncio.sleep(RETURN_SECONDS)
        data = envelope["data"]
        self._load.checker.acked(self._load.at(), self._name, key, data["seq"], data["id"])
        self.is_quiet = True

    async def _return(self) -> None:
        """A refused socket.io-client does not come back by itself."""
        assert self.socket is not None
        while True:
            await self._is_refused.wait()
            self._is_refused.clear()
            if self._refused is not None:
                self._load.count_refusal(self._refused["code"])
                await asyncio.sleep(RETURN_SECONDS)
                await self.socket.reconnect()


class JsSpeakers:
    """`async with JsSpeakers(load) as js:` one Node process for all of them."""

    def __init__(self, load: Load) -> None:
        self.speakers: list[JsSpeaker] = []
        self._load = load
        self._js = JsClient(ensure_node())

    def begin(self, session_ids: Sequence[str], count: int) -> list[Coroutine[Any, Any, None]]:
        """What has to run so that `count` of them speak, each through a process of its own."""
        for number in range(count):
            session_id = session_ids[number % len(session_ids)]
            url = self._load.urls[number % len(self._load.urls)]
            self.speakers.append(JsSpeaker(self._load, session_id, f"js.{number}", url))
        return [speaker.run(self._js) for speaker in self.speakers]

    def are_quiet(self) -> bool:
        """Whether everything they said was acked."""
        return all(speaker.is_quiet for speaker in self.speakers)

    async def __aenter__(self) -> Self:
        await self._js.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._js.close()

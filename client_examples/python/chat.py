"""Chat from a terminal: python chat.py --name Ada [--session ID] [--once "text"] [--url …] [--token …]."""

import argparse
import asyncio
import json
import sys
import threading
import uuid
from typing import Any

import aiohttp
import socketio

ACK_SECONDS = 5
ATTEMPTS = 5
ANSWER_SECONDS = 60
SILENCE_SECONDS = 5  # without a sign of the spirit for so long, it is not going to answer

Json = dict[str, Any]


class Chat:
    """One person at one table."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.user_id: str | None = None
        self.last_seq = 0
        self.streaming = False
        self.joined = asyncio.Event()
        self.thinking = asyncio.Event()
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self.refusal: Json | None = None
        self.coming_back: asyncio.Task[None] | None = None
        self.sio = socketio.AsyncClient(reconnection_delay_max=5)
        for event in (
            "disconnect",
            "connect_error",
            "session_joined",
            "message_received",
            "spirit_thinking",
            "spirit_delta",
        ):
            self.sio.on(event, getattr(self, f"on_{event}"))
        for event in ("spirit_finished", "user_joined", "user_left", "session_closed", "error"):
            self.sio.on(event, getattr(self, f"on_{event}"))

    def join(self) -> Json:
        """The join object; asked at each connect, so that a rejoin says what is known already."""
        said = {"session_id": self.options.session, "user_name": self.options.name, "last_seq": self.last_seq}
        if self.options.token:
            return {**said, "token": self.options.token}
        return {**said, "user_id": self.user_id} if self.user_id else said

    async def send(self, text: str) -> Json:
        """The acknowledgement's data; sent again until it comes, which the id makes safe."""
        body = {"message": text, "client_message_id": str(uuid.uuid4())}
        for _ in range(ATTEMPTS):
            try:
                answer = await self.sio.call("send_message", body, timeout=ACK_SECONDS)
            except (socketio.exceptions.TimeoutError, socketio.exceptions.BadNamespaceError):
                await asyncio.wait_for(self.joined.wait(), ANSWER_SECONDS)
                continue
            if answer["success"]:
                return dict(answer["data"])
            if not answer["error"]["retryable"]:
                raise SystemExit(f"{answer['error']['code']}: {answer['error']['message']}")
            await asyncio.sleep(answer["error"]["details"].get("retry_after", 1))
        raise SystemExit("the message could not be delivered")

    async def on_disconnect(self, reason: str) -> None:
        self.joined.clear()
        # The client library comes back by itself, except when it was the server that hung up.
        if reason == self.sio.reason.SERVER_DISCONNECT and not self.over.is_set():
            self.coming_back = asyncio.create_task(self.connect())

    async def on_connect_error(self, why: object) -> None:
        self.refusal = why["data"] if isinstance(why, dict) and "data" in why else None

    async def on_session_joined(self, joined: Json) -> None:
        self.user_id = joined["user"]["user_id"]
        print(f"joined as {joined['user']['user_name']}; here: {', '.join(u['user_name'] for u in joined['users'])}")
        self.joined.set()

    async def on_message_received(self, message: Json, _offset: str | None = None) -> None:
        if message["seq"] <= self.last_seq:
            return  # delivery is at least once, in order
        self.last_seq = message["seq"]
        if message["is_spirit"] and self.streaming:
            print()
        else:
            print(f"{message['user_name']}: {message['message']}")
        self.streaming = self.streaming and not message["is_spirit"]

    async def on_spirit_thinking(self, _turn: Json) -> None:
        self.thinking.set()

    async def on_spirit_delta(self, delta: Json) -> None:
        if delta["index"] == 0:
            self.streaming = True
            print("Spirit: ", end="")
        if self.streaming:
            print(delta["text"], end="", flush=True)

    async def on_spirit_finished(self, end: Json) -> None:
        if end["reason"] != "completed":
            print(f"(the spirit: {end['reason']})")
        self.answered.set()

    async def on_user_joined(self, user: Json) -> None:
        print(f"* {user['user_name']} joined")

    async def on_user_left(self, user: Json) -> None:
        print(f"* {user['user_name']} left")

    async def on_session_closed(self, end: Json) -> None:
        print(f"the session has {end['reason']}")
        self.over.set()

    async def on_error(self, error: Json) -> None:
        print(f"error: {error['message']}", file=sys.stderr)

    async def run(self) -> None:
        """Join, then send one text or what is typed, until the end."""
        if not self.options.session:
            await self.create_session()
        await self.connect()
        await self.joined.wait()
        await (self.once(self.options.once) if self.options.once is not None else self.talk())
        await self.sio.disconnect()

    async def create_session(self) -> None:
        headers = {"Authorization": f"Bearer {self.options.token}"} if self.options.token else {}
        async with (
            aiohttp.ClientSession(self.options.url, headers=headers) as http_client,
            http_client.post("/api/sessions", json={"name": "From a terminal"}) as response,
        ):
            answer = await response.json()
        if not answer["success"]:
            raise SystemExit(f"{answer['error']['code']}: {answer['error']['message']}")
        self.options.session = answer["data"]["id"]
        self.options.token = answer["data"].get("host_token", self.options.token)
        print(f"session {self.options.session}")

    async def connect(self) -> None:
        while True:
            try:
                await self.sio.connect(self.options.url, auth=self.join, transports=["websocket"])
            except socketio.exceptions.ConnectionError as error:
                if self.refusal and not self.refusal["retryable"]:
                    raise SystemExit(f"{self.refusal['code']}: {self.refusal['message']}") from error
                print("the server cannot be reached; trying again", file=sys.stderr)
                await asyncio.sleep(1)
            else:
                return

    async def once(self, text: str) -> None:
        print("ack", json.dumps(await self.send(text)))
        try:
            await asyncio.wait_for(self.thinking.wait(), SILENCE_SECONDS)
            await asyncio.wait_for(self.answered.wait(), ANSWER_SECONDS)
        except TimeoutError:
            print("(no answer)")

    async def talk(self) -> None:
        lines = typed_lines()
        over = asyncio.create_task(self.over.wait())
        while not over.done():
            line = asyncio.create_task(lines.get())
            await asyncio.wait({line, over}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done() or not (text := line.result()):
                line.cancel()
                break
            if text.strip():
                await self.send(text.strip())
        over.cancel()


def typed_lines() -> asyncio.Queue[str]:
    """A queue of typed lines, empty at the end; a thread reads, for a terminal cannot be awaited everywhere."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        while True:
            line = sys.stdin.readline()
            loop.call_soon_threadsafe(lines.put_nowait, line)
            if not line:
                return

    threading.Thread(target=read, daemon=True).start()
    return lines


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Chat from a terminal.")
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--session", help="the id of a session; without it a new one is made")
    parser.add_argument("--name", default="Ada")
    parser.add_argument("--token", help="a token, where the server asks for one")
    parser.add_argument("--once", metavar="TEXT", help="send one text, print the acknowledgement and the answer")
    return parser.parse_args()


async def main() -> None:
    await Chat(parse()).run()


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # a pipe, too, is to see each line when it comes
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(130)

"""An evening with the offline spirit over a running server, written down as it was heard.

`python -m tests.turns.evening > docs/transcript.md`

What people say stands below; everything else is what the server told Ada, who came first and left last.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from tests.cluster.guests import Guest, Told, guest
from tests.services.processes import ServerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = "python -m tests.turns.evening > docs/transcript.md"
NAME, PERSONA = "Isolde", "A lighthouse keeper's daughter, drowned, dry of humour."
TURN_SECONDS = 20.0
STOP = "(stops the spirit)"
# One line of the script each: who says it; with several, they say it at once. A new name comes in with it.
SCRIPT: Sequence[Sequence[tuple[str, str]]] = (
    [("Ada", "Good evening. The lamp is low, the window is shut. Is anybody there?")],
    [("Bo", "It's just the wind.")],
    [("Ada", "What is your name?")],
    [("Bo", "Fine, Isolde. What year did you die?")],
    [("Ada", "How did you die?")],
    [("Cleo", "Sorry I'm late, the fog is terrible. What did I miss?")],
    [("Cleo", "Isolde, do you see me?")],
    [("Ada", "Will I find my grandmother's ring?"), ("Bo", "Will it stop raining?")],
    [("Bo", "Where is the ring?")],
    [("Cleo", "Who hid it?")],
    [("Bo", "You are a fraud, Isolde.")],
    [("Cleo", "Please don't mind him. I'm sorry for what Bo said.")],
    [("Bo", "Alright. I'm sorry too.")],
    [("Ada", "Tell us a story.")],
    [("Cleo", "And then?")],
    [("Cleo", "Go on.")],
    [("Bo", "go on")],
    [("Cleo", "Something just touched my shoulder. I'm scared.")],
    [("Bo", "What is 17 times 3?")],
    [("Bo", "Spell Mississippi."), ("Ada", STOP)],
    [("Ada", "Is the cellar door locked or open?")],
    [("Cleo", "Does Bo ever listen?")],
    [("Ada", "What do you wish for, Isolde?")],
    [("Cleo", "Est-ce que tu parles français ?")],
    [("Bo", "How many of you are in this house?")],
    [("Ada", "Tell us a secret.")],
    [("Cleo", "Who of us will come back?")],
    [("Ada", "Thank you, Isolde.")],
    [("Bo", "We have to go now. Goodbye.")],
)


@dataclass
class Evening:
    """The room, and who is in it."""

    http: aiohttp.ClientSession
    url: str
    session_id: str
    stack: AsyncExitStack
    people: dict[str, Guest] = field(default_factory=dict)

    async def play(self) -> list[Told]:
        """What Ada was told from the first word to the last."""
        for lines in SCRIPT:
            for name, _ in lines:
                if name not in self.people:
                    one = guest(self.http, self.url, self.session_id, name.lower(), user_name=name)
                    self.people[name] = await self.stack.enter_async_context(one)
            ended = len(self.people["Ada"].named("spirit_finished"))
            for name, text in lines:
                await self._do(name, text)
            await self._quiet(self.people["Ada"], ended)
        return self.people["Ada"].told

    async def _do(self, name: str, text: str) -> None:
        one = self.people[name]
        if text == STOP:
            deltas = len(one.named("spirit_delta"))
            await one.wait("spirit_delta", lambda _: len(one.named("spirit_delta")) > deltas + 2)
            await one.call("stop_spirit")
        else:
            await one.say(text)

    async def _quiet(self, ada: Guest, ended: int) -> None:
        """Returns when the last thing that was said has its answer."""
        await ada.wait("spirit_finished", lambda _: len(ada.named("spirit_finished")) > ended, seconds=TURN_SECONDS)
        seen = [told.name for told in ada.told if told.name.startswith("spirit_") or told.name == "message_received"]
        if seen[-1] != "spirit_finished":
            await self._quiet(ada, len(ada.named("spirit_finished")))


def written(told: Sequence[Told]) -> str:
    """The evening as a page."""
    said = ["# An evening with the offline spirit", ""]
    said += [
        f"Written down by `{COMMAND}`:",
        "a server of its own, three people over Socket.IO, the provider `ouija`.",
        f'The session\'s spirit is called {NAME}; its persona is "{PERSONA}"',
        "Nothing it says was edited; only what people say was chosen. Each run is a new session and another evening.",
        "",
    ]
    for event in told:
        if event.name == "message_received":
            name = f"**{event.said['user_name']}**" if event.said["is_spirit"] else event.said["user_name"]
            said += [f"{name}: {event.said['message']}", ""]
        elif event.name == "user_joined":
            said += [f"*{event.said['user_name']} comes in.*", ""]
        elif event.name == "spirit_finished" and event.said["reason"] == "stopped":
            said += [
                f"*{event.said['stopped_by']['user_name']} takes her hand off the planchette: the turn stops.*",
                "",
            ]
    return "\n".join(said)


async def main() -> None:
    settings = {"SPIRIT_PROVIDER": "ouija", "RATE_LIMITS": "off", "SPIRIT_PACE": "0.5"}
    async with ServerProcess(**settings) as server, aiohttp.ClientSession() as http, AsyncExitStack() as stack:
        about = {"name": "The harbour room", "spirit": {"name": NAME, "persona": PERSONA}}
        async with http.post(f"{server.url}/api/sessions", json=about) as answer:
            session_id = (await answer.json())["data"]["id"]
        sys.stdout.write(written(await Evening(http, server.url, session_id, stack).play()))


if __name__ == "__main__":
    asyncio.run(main())

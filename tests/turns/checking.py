"""What everyone in a room must have seen of the spirit's turns, whatever happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.guests import Guest, Told

TURN_EVENTS = frozenset({"spirit_thinking", "spirit_delta", "spirit_finished"})


@dataclass
class Watcher:
    """Holds what one connection is told to the rules; `faults` has a sentence for each breach."""

    faults: list[str] = field(default_factory=list)
    running: str | None = None
    _joined: str | None = None
    _ended: set[str] = field(default_factory=set)
    _heard: dict[str, tuple[int, str]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    def joins(self, turn: dict[str, Any] | None) -> None:
        """Takes in what a joiner is told of a turn under way."""
        if turn is not None:
            self.running = self._joined = turn["turn_id"]
            self._heard[turn["turn_id"]] = (turn["index"], turn["text"])

    def hear(self, told: Told) -> None:
        said = told.said
        if told.name == "message_received" and said["is_spirit"]:
            if said["id"] in self._texts:
                self.faults.append(f"message {said['id']} came twice")
            self._texts[said["id"]] = said["message"]
        elif told.name in TURN_EVENTS:
            self._hear_turn(told.name, said)

    def unclaimed(self) -> list[str]:
        """The messages that no turn named as its own."""
        return [f"message {message_id} belongs to no turn" for message_id in self._texts.keys() - self._kept]

    def _hear_turn(self, name: str, said: dict[str, Any]) -> None:
        turn_id = said["turn_id"]
        if turn_id in self._ended:
            self.faults.append(f"{name} after the end of turn {turn_id}")
        if self.running not in {None, turn_id}:
            self.faults.append(f"{name} of turn {turn_id} while turn {self.running} runs")
        self.running = turn_id
        if name == "spirit_thinking":
            self._heard.setdefault(turn_id, (0, ""))
        elif name == "spirit_delta":
            self._hear_delta(turn_id, said)
        else:
            self._hear_end(turn_id, said)

    def _hear_delta(self, turn_id: str, said: dict[str, Any]) -> None:
        known = self._heard.get(turn_id)
        if known is None:
            return  # it began before this connection, which was not told of it
        if said["index"] != known[0]:
            self.faults.append(f"delta {said['index']} of turn {turn_id} instead of {known[0]}")
        self._heard[turn_id] = (said["index"] + 1, known[1] + said["text"])

    def _hear_end(self, turn_id: str, said: dict[str, Any]) -> None:
        self.running = None
        self._ended.add(turn_id)
        message_id = said.get("message_id", "")
        self._kept.add(message_id)
        if turn_id not in self._heard:
            return
        heard = self._heard[turn_id][1]
        if turn_id == self._joined and message_id not in self._texts:
            return  # its message was there before this connection
        if message_id and message_id not in self._texts:
            self.faults.append(f"turn {turn_id} ended before its message came")
        elif heard != self._texts.get(message_id, ""):
            self.faults.append(f"turn {turn_id} said {heard!r} and kept {self._texts.get(message_id)!r}")


def faults_of(told: Sequence[Told], turn: dict[str, Any] | None = None) -> list[str]:
    """What a connection that stayed to the end saw and should not have; turns must all be over."""
    watcher = Watcher()
    watcher.joins(turn)
    for event in told:
        watcher.hear(event)
    left = [f"turn {watcher.running} did not end"] if watcher.running else []
    return watcher.faults + watcher.unclaimed() + left


def ends(guest: Guest) -> list[str]:
    """How the turns ended that a guest saw."""
    return [told.said["reason"] for told in guest.named("spirit_finished")]


def replies(guest: Guest) -> list[str]:
    """What the spirit said, as messages."""
    return [told.said["message"] for told in guest.named("message_received") if told.said["is_spirit"]]

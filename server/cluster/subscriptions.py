"""Which channels this process wants to hear, and which it does hear; knows no Redis."""

import asyncio


class Subscriptions:
    """Channels that are wanted, each with a promise that is kept once the server confirmed it."""

    def __init__(self) -> None:
        """Begin with none."""
        self._confirmed: dict[str, asyncio.Event] = {}
        self._changed: set[str] = set()
        self.has_changed = asyncio.Event()

    def want(self, channel: str) -> asyncio.Event:
        """Want a channel; the event is set while it is heard."""
        if channel not in self._confirmed:
            self._confirmed[channel] = asyncio.Event()
            self._note(channel)
        return self._confirmed[channel]

    def drop(self, channel: str) -> None:
        """Want a channel no more."""
        if self._confirmed.pop(channel, None) is not None:
            self._note(channel)

    def confirm(self, channel: str) -> None:
        """Learn that a channel is heard."""
        if (confirmed := self._confirmed.get(channel)) is not None:
            confirmed.set()

    def lose_all(self) -> None:
        """Learn that nothing is heard any more; everything wanted has to be asked for again."""
        for confirmed in self._confirmed.values():
            confirmed.clear()
        self._changed = set(self._confirmed)
        self.has_changed.set()

    def take_changes(self) -> tuple[list[str], list[str]]:
        """Return the channels to subscribe and those to unsubscribe since the last call."""
        changed, self._changed = self._changed, set()
        self.has_changed.clear()
        return [name for name in changed if name in self._confirmed], [
            name for name in changed if name not in self._confirmed
        ]

    def __len__(self) -> int:
        """Return how many channels are wanted."""
        return len(self._confirmed)

    def _note(self, channel: str) -> None:
        self._changed.add(channel)
        self.has_changed.set()

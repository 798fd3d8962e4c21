"""Which channels this process wants to hear, and which it does hear; knows no Redis."""

import asyncio
from collections import Counter
from collections.abc import Callable


class Subscriptions:
    """Channels that are wanted, each with a promise that is kept once the server confirmed it."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        """Begin with none; `on_change` is called when there is something to take for `take_changes`."""
        self._on_change = on_change
        self._confirmed: dict[bytes, asyncio.Event] = {}
        self._changed: set[bytes] = set()
        # Confirmations on their way. Of a channel that was dropped and wanted again the last one counts: the
        # others were sent before the server took the channel away.
        self._asked: Counter[bytes] = Counter()

    def want(self, channel: bytes) -> asyncio.Event:
        """Want a channel; the event is set while it is heard."""
        if channel not in self._confirmed:
            self._confirmed[channel] = asyncio.Event()
            self._note(channel)
        return self._confirmed[channel]

    def drop(self, channel: bytes) -> None:
        """Want a channel no more."""
        if self._confirmed.pop(channel, None) is not None:
            self._note(channel)

    def confirm(self, channel: bytes) -> None:
        """Learn that a channel is heard."""
        self._asked[channel] -= 1
        if self._asked[channel] > 0:
            return
        del self._asked[channel]
        if (confirmed := self._confirmed.get(channel)) is not None:
            confirmed.set()

    def lose_all(self) -> None:
        """Learn that nothing is heard any more; everything wanted has to be asked for again."""
        self._asked.clear()
        for confirmed in self._confirmed.values():
            confirmed.clear()
        self._changed = set()
        for channel in self._confirmed:
            self._note(channel)

    def take_changes(self) -> tuple[list[bytes], list[bytes]]:
        """Return the channels to subscribe and those to unsubscribe since the last call."""
        changed, self._changed = self._changed, set()
        wanted = [channel for channel in changed if channel in self._confirmed]
        self._asked.update(wanted)
        return wanted, [channel for channel in changed if channel not in self._confirmed]

    def __len__(self) -> int:
        """Return how many channels are wanted."""
        return len(self._confirmed)

    def _note(self, channel: bytes) -> None:
        if not self._changed:
            self._on_change()
        self._changed.add(channel)

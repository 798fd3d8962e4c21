"""The backplane of a process that has no others."""

from collections.abc import Callable, Sequence

from server.domain import SessionId


def _ignore_news(_: SessionId, __: Sequence[bytes]) -> None:
    """Hear nothing."""


class Alone:
    """Loses nothing, for there is nobody to tell."""

    reaches_others = False

    def __init__(self) -> None:
        """Stand by itself."""
        self.on_news: Callable[[SessionId, Sequence[bytes]], None] = _ignore_news

    async def start(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Do nothing."""

    async def listen(self, session_id: SessionId) -> None:
        """Return at once."""

    def ignore(self, session_id: SessionId) -> None:
        """Do nothing."""

    def publish(self, session_id: SessionId, news: bytes) -> None:
        """Do nothing."""

    async def ping(self, timeout_seconds: float) -> bool:  # noqa: ARG002 - the backplane's interface
        """Return that all is well."""
        return True

"""The voice of a spirit that has none; turns of others are ended in its name."""

from collections.abc import AsyncIterator, Sequence

from server.core.ports import Outline, ProviderFailedError, Scene, Summary, Usage
from server.domain import Message, Session


class Silence:
    """Says nothing and costs nothing."""

    name = "none"
    takes_notes = False

    async def speak(self, scene: Scene) -> AsyncIterator[str | Usage]:
        """Refuse to speak."""
        raise ProviderFailedError("disabled", retryable=False)
        yield ""

    def outline(self, scene: Scene) -> Outline:
        """Return that nothing would be sent."""
        return Outline((), Usage(0, 0))

    async def summarise(self, session: Session, summary: str, messages: Sequence[Message]) -> Summary:
        """Return the old notes."""
        return Summary(summary, Usage(0, 0), tuple(messages))

    async def aclose(self) -> None:
        """Do nothing."""

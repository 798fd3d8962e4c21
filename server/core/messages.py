"""Messages: taken, committed, then told to the room; and read again."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.core.ports import Broadcaster
from server.domain import Draft, Message, MessageId, Participant, SessionId, is_session_id, new_id, now
from server.errors import SeanceError, SessionNotFound
from server.protocol.commands import HistoryRange
from server.store.history import History
from server.store.log import MessageLog
from server.store.outcomes import Appended

Done = Callable[[Message | SeanceError], None]
Heard = Callable[[SessionId, Sequence[Message]], None]


@dataclass(slots=True)  # one for every message: not frozen, as the messages themselves
class Utterance:
    """What someone says in a session."""

    session_id: SessionId
    speaker: Participant
    text: str
    client_message_id: str | None = None
    is_spirit: bool = False


class Messages:
    """The one way into the log and out of it.

    A message is told to the room only after its commit, then its sender is answered: promise 1. Messages of
    one session are told in the order of their `seq`; what one caller posts keeps its order.
    """

    def __init__(self, log: MessageLog, history: History, broadcaster: Broadcaster) -> None:
        """Take the log, where it is read again, and who is told."""
        self._log = log
        self._history = history
        self._broadcaster = broadcaster
        self._heard: Heard = lambda _, __: None
        log.on_commit = self._committed

    def on_heard(self, heard: Heard) -> None:
        """Call `heard` with each session's newly committed messages, after the room was told."""
        self._heard = heard

    def post(self, said: Utterance, done: Done) -> None:
        """Put a message into the log; `done` gets the committed message or an error, later.

        Never blocks. Raises `Busy` at once when too much waits; nothing is taken then.
        """
        speaker = said.speaker
        draft = Draft(
            MessageId(new_id()),
            said.session_id,
            speaker.user_id,
            speaker.user_name,
            said.text,
            now(),
            said.is_spirit,
            said.client_message_id,
        )
        self._log.append(draft, lambda result: done(result.message if isinstance(result, Appended) else result))

    async def posted(self, said: Utterance) -> Message:
        """Return the committed message; raises what `post` would have answered.

        Cancelling the wait does not take the message back.
        """
        if not is_session_id(said.session_id):
            raise SessionNotFound.of(said.session_id)
        answer: asyncio.Future[Message | SeanceError] = asyncio.get_running_loop().create_future()
        self.post(said, lambda result: None if answer.done() else answer.set_result(result))
        result = await answer
        if isinstance(result, SeanceError):
            raise result
        return result

    async def read(self, session_id: SessionId, command: HistoryRange) -> tuple[list[Message], bool]:
        """Return messages in ascending `seq`, and whether there are more on that side."""
        return await self._history.read(session_id, command)

    async def after(self, session_id: SessionId, seq: int, limit: int) -> list[Message]:
        """Return up to `limit` messages that follow `seq`, ascending."""
        return await self._history.after(session_id, seq, limit)

    def _committed(self, batch: list[Appended]) -> None:
        sessions: dict[SessionId, list[Message]] = {}
        for item in batch:
            sessions.setdefault(item.message.session_id, []).append(item.message)
        for session_id, messages in sessions.items():
            self._broadcaster.tell_messages(session_id, messages)
            self._heard(session_id, messages)

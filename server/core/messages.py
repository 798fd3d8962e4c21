"""Messages: taken, committed, then told to the room; and read again."""

import asyncio
from collections.abc import Callable, Sequence

from server.core.ports import Broadcaster
from server.domain import Message, Participant, SessionId, is_session_id
from server.errors import SeanceError, SessionNotFound, ValidationFailed
from server.moments import fresh_message_id
from server.protocol.commands import HistoryRange
from server.protocol.wire import Draft
from server.store.history import History
from server.store.log import MessageLog

Done = Callable[[Message | SeanceError], None]
Heard = Callable[[SessionId, Sequence[Message]], None]


def drafted(
    session_id: SessionId,
    speaker: Participant,
    text: str,
    client_message_id: str | None = None,
    *,
    is_spirit: bool = False,
) -> Draft:
    """Return what someone says now, for `Messages.post`; raises `ValidationFailed` for text that is no Unicode."""
    id_, moment = fresh_message_id()
    draft = Draft(id_, session_id, 0, speaker.user_id, speaker.user_name, text, moment, is_spirit, client_message_id)
    try:
        draft.encode()
    except TypeError:  # half of a surrogate pair: no door lets it in, but a provider may stream it
        raise ValidationFailed(details={"message": ["This text cannot be stored."]}) from None
    return draft


class Messages:
    """The one way into the log and out of it.

    A message is told to the room only after its commit, then its sender is answered: promise 1. Messages of
    one session are told in the order of their `seq`; what one caller posts keeps its order.
    """

    def __init__(self, log: MessageLog, history: History, broadcaster: Broadcaster) -> None:
        """Take the log, where it is read again, and who is told."""
        self.post = log.append  # see there
        self._history = history
        self._broadcaster = broadcaster
        self._heard: Heard = lambda _, __: None
        log.on_commit = self._committed

    def on_heard(self, heard: Heard) -> None:
        """Call `heard` with each session's newly committed messages, after the room was told."""
        self._heard = heard

    async def posted(self, draft: Draft) -> Message:
        """Return the committed message; raises what `post` would have answered.

        Cancelling the wait does not take the message back.
        """
        if not is_session_id(draft.session_id):
            raise SessionNotFound.of(draft.session_id)
        answer: asyncio.Future[Message | SeanceError] = asyncio.get_running_loop().create_future()
        self.post(draft, lambda result: None if answer.done() else answer.set_result(result))
        result = await answer
        if isinstance(result, SeanceError):
            raise result
        return result

    async def is_repeat(self, draft: Draft) -> bool:
        """Tell whether a draft is stored already, by its `client_message_id`."""
        own_id = draft.client_message_id
        return own_id is not None and await self._history.has(draft.session_id, draft.user_id, own_id)

    async def read(self, session_id: SessionId, command: HistoryRange) -> tuple[list[Message], bool]:
        """Return messages in ascending `seq`, and whether there are more on that side."""
        return await self._history.read(session_id, command)

    async def after(self, session_id: SessionId, seq: int, limit: int) -> list[Message]:
        """Return up to `limit` messages that follow `seq`, ascending."""
        return await self._history.after(session_id, seq, limit)

    def _committed(self, batch: list[Draft]) -> None:
        sessions: dict[SessionId, list[Draft]] = {}
        for message in batch:
            known = sessions.get(message.session_id)
            if known is None:
                sessions[message.session_id] = [message]
            else:
                known.append(message)
        for session_id, messages in sessions.items():
            self._broadcaster.tell_messages(session_id, messages)
            self._heard(session_id, messages)

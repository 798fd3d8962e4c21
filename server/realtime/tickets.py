"""What is signed into a client's `pid`, so that it can come back to its place on any process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from server.domain import Participant, Role, SessionId, UserId
from server.engine import RecoveredState
from server.realtime.admission import Admitted

SEQ_DIGITS: Final = 15


@dataclass(slots=True)
class Ticket:
    """Where a client sat, as whom, by which token, and up to which `seq` it had everything."""

    session_id: SessionId
    user: Participant
    token_id: str | None
    seq: int

    @classmethod
    def of(cls, admitted: Admitted) -> "Ticket":
        """Return the ticket of a connection that was just seated."""
        token_id = admitted.identity.token_id if admitted.identity is not None else None
        return cls(admitted.session_id, admitted.entered.user, token_id, admitted.entered.session.head)

    @classmethod
    def read(cls, state: RecoveredState) -> "Ticket":
        """Return the ticket of a verified `pid`, brought up to the offset the client names."""
        session_id, user_id, name, role, token_id, seq = state.payload
        user = Participant(UserId(user_id), name, Role(role))
        offset = state.offset or ""
        return cls(SessionId(session_id), user, token_id or None, int(offset) if _is_seq(offset) else seq)

    def as_list(self) -> list[object]:
        """Return what is signed: short, for it travels with every reconnect.

        No token is "": the engine looks twice at JSON with a null in it, which takes 8 µs.
        """
        return [self.session_id, self.user.user_id, self.user.user_name, self.user.role, self.token_id or "", self.seq]

    def wish(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return the join that continues this place; what the client says of itself now comes first."""
        kept = {
            "session_id": self.session_id,
            "user_id": self.user.user_id,
            "user_name": self.user.user_name,
        }
        return {**kept, **said, "last_seq": self.seq}


def _is_seq(offset: str) -> bool:
    return offset.isascii() and offset.isdigit() and len(offset) <= SEQ_DIGITS

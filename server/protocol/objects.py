"""The plain objects that REST, events and acknowledgements share."""

from typing import Any

from server.auth import Identity
from server.domain import Message, MessageId, Participant, Session, SessionId, SpiritSettings, UserId
from server.moments import iso

Json = dict[str, Any]


def spirit_object(spirit: SpiritSettings) -> Json:
    """Return the settings of a spirit, see `SpiritShape`."""
    return {
        "answers": spirit.answers,
        "overlap": spirit.overlap,
        "debounce_ms": spirit.debounce_ms,
        "name": spirit.name,
        "persona": spirit.persona,
    }


def session_object(session: Session) -> Json:
    """Return a session, see `SessionShape`."""
    return {
        "id": session.id,
        "name": session.name,
        "max_users": session.max_users,
        "created_at": iso(session.created_at),
        "is_active": session.is_active,
        "head": session.head,
        "spirit": spirit_object(session.spirit),
    }


def user_object(user: Participant) -> Json:
    """Return a person with a role, see `UserShape`."""
    return {"user_id": user.user_id, "user_name": user.user_name, "role": user.role}


def person_object(user: Participant) -> Json:
    """Return a person without the role, see `PersonShape`."""
    return {"user_id": user.user_id, "user_name": user.user_name}


def message_object(message: Message) -> Json:
    """Return a message, see `MessageShape`."""
    said = draft_object(message)
    said["seq"] = message.seq
    return said


def draft_object(draft: Message) -> Json:
    """Return all of a message but its `seq`."""
    said: Json = {
        "id": draft.id,
        "session_id": draft.session_id,
        "user_id": draft.user_id,
        "user_name": draft.user_name,
        "message": draft.text,
        "timestamp": draft.timestamp,
        "is_spirit": draft.is_spirit,
    }
    if draft.client_message_id is not None:
        said["client_message_id"] = draft.client_message_id
    return said


def message_of(said: Json) -> Message:
    """Return the message of such an object."""
    return Message(
        id=MessageId(said["id"]),
        session_id=SessionId(said["session_id"]),
        seq=said["seq"],
        user_id=UserId(said["user_id"]),
        user_name=said["user_name"],
        text=said["message"],
        timestamp=said["timestamp"],
        is_spirit=said["is_spirit"],
        client_message_id=said.get("client_message_id"),
    )


def token_object(token: str, identity: Identity) -> Json:
    """Return a token and what it is good for, see `TokenShape`."""
    return {
        "token": token,
        "role": identity.role,
        "session_id": identity.session_id,
        "expires_at": iso(identity.expires_at),
    }


def posted_object(message: Message) -> Json:
    """Return what the sender of a message is told, see `PostedShape`."""
    return {"id": message.id, "seq": message.seq, "timestamp": message.timestamp}

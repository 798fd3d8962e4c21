"""What clients may say: one schema per request or event, loaded into a frozen command."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast

from marshmallow import RAISE, Schema, ValidationError, post_load, validate, validates_schema
from marshmallow import fields as f

from server.domain import DEBOUNCE_MS, Answers, Overlap, Role
from server.errors import ValidationFailed
from server.protocol import commands, fields

TOKEN_SECONDS_MOST = 366 * 86_400
SEQ_MOST = 2**53 - 1  # the largest integer a JavaScript client can hold
PAGE_MOST = 200

C = TypeVar("C")


class CommandSchema(Schema, Generic[C]):
    """A schema that refuses unknown fields and loads into its command."""

    command: ClassVar[type[Any]]

    class Meta:
        """Unknown fields are an error."""

        unknown = RAISE

    @post_load
    def make(self, said: dict[str, Any], **_: object) -> Any:
        """Turn checked fields into the frozen command."""
        return self.command(**said)


class SpiritChangeSchema(CommandSchema[commands.SpiritChange]):
    """How the spirit of a session behaves."""

    command = commands.SpiritChange
    answers = f.Enum(Answers, by_value=True, metadata={"description": "When the spirit speaks."})
    overlap = f.Enum(
        Overlap, by_value=True, metadata={"description": "What becomes of messages that come while it speaks."}
    )
    debounce_ms = fields.whole(0, DEBOUNCE_MS, metadata={"description": "Quiet before it answers, milliseconds."})
    name = fields.user_name(metadata={"description": "What people call it."})
    persona = fields.persona(metadata={"description": "Its manner, in prose."})


class CreateSessionSchema(CommandSchema[commands.CreateSession]):
    """A session to be made."""

    command = commands.CreateSession
    name = fields.session_name(required=True)
    max_users = fields.max_users()
    spirit = f.Nested(SpiritChangeSchema)


class ChangeSessionSchema(CommandSchema[commands.ChangeSession]):
    """What is to change of a session; what is left out stays."""

    command = commands.ChangeSession
    name = fields.session_name()
    max_users = fields.max_users()
    spirit = f.Nested(SpiritChangeSchema)


class PageSchema(CommandSchema[commands.Page]):
    """Which sessions to list."""

    command = commands.Page
    limit = fields.whole_in_query(1, PAGE_MOST, metadata={"description": "1 to 200, default 50."})
    cursor = fields.text_id(metadata={"description": "`meta.next_cursor` of the page before."})


class HistoryRangeSchema(CommandSchema[commands.HistoryRange]):
    """Which messages to read."""

    command = commands.HistoryRange
    after_seq = fields.whole_in_query(0, SEQ_MOST, metadata={"description": "Only messages with a greater `seq`."})
    before_seq = fields.whole_in_query(0, SEQ_MOST, metadata={"description": "Only messages with a smaller `seq`."})
    limit = fields.whole_in_query(1, PAGE_MOST, metadata={"description": "1 to 200, default 50."})


class PostMessageSchema(CommandSchema[commands.PostMessage]):
    """A message posted by REST."""

    command = commands.PostMessage
    message = fields.message_text(required=True)
    user_name = fields.user_name(metadata={"description": "Required unless a token names the person."})
    user_id = fields.user_id()
    client_message_id = fields.client_message_id(
        metadata={"description": "Makes the post idempotent, as the header `Idempotency-Key` does."}
    )


class MintTokenSchema(CommandSchema[commands.MintToken]):
    """A token to be made for a session."""

    command = commands.MintToken
    role = f.Enum(Role, by_value=True, validate=validate.NoneOf([Role.SERVICE], error="Must not be service."))
    user_id = fields.user_id()
    user_name = fields.user_name()
    expires_in = fields.whole(1, TOKEN_SECONDS_MOST, metadata={"description": "Seconds, default one day."})
    max_uses = fields.whole(
        1, 1_000_000, metadata={"description": "How often it may be used; without it, any number of times."}
    )


class JoinSchema(CommandSchema[commands.Join]):
    """Who wants to join which session."""

    command = commands.Join
    session_id = f.String(required=True)  # what could be none is not found either
    user_name = fields.user_name(metadata={"description": "Required unless the token has a name."})
    user_id = fields.user_id(metadata={"description": "Made by the server when left out."})
    token = fields.token()
    last_seq = fields.whole(
        0, SEQ_MOST, metadata={"description": "The newest `seq` the client has: what came later is replayed."}
    )


class RegisterSchema(CommandSchema[commands.Register]):
    """The first frame of a raw WebSocket; its path names the session."""

    command = commands.Register
    user_name = fields.user_name(data_key="name", metadata={"description": "Required unless the token has a name."})
    user_id = fields.user_id(metadata={"description": "Made by the server when left out."})
    token = fields.token()
    last_seq = fields.whole(
        0, SEQ_MOST, metadata={"description": "The newest `seq` the client has: what came later is replayed."}
    )


class SendMessageSchema(CommandSchema[commands.SendMessage]):
    """A message to the room. `user_name` is accepted and ignored: the join says who speaks."""

    command = commands.SendMessage
    message = fields.message_text(required=True)
    user_name = f.Raw(load_only=True, allow_none=True, metadata={"description": "Ignored."})
    client_message_id = fields.client_message_id(
        metadata={"description": "The same id from the same person is stored once."}
    )
    clientOffset = fields.client_message_id(metadata={"description": "Another name for `client_message_id`."})  # noqa: N815 - the wire's name

    @validates_schema
    def one_id(self, said: Mapping[str, object], **_: object) -> None:
        """Refuse two different ids for one message."""
        ids = {said[key] for key in ("client_message_id", "clientOffset") if key in said}
        if len(ids) > 1:
            raise ValidationError("Differs from client_message_id.", "clientOffset")

    @post_load
    def make(self, said: dict[str, Any], **_: object) -> commands.SendMessage:
        """Drop the ignored name and fold the alias."""
        client_message_id = said.get("client_message_id") or said.get("clientOffset")
        return commands.SendMessage(said["message"], client_message_id)


class SetTypingSchema(CommandSchema[commands.SetTyping]):
    """Whether a person types."""

    command = commands.SetTyping
    is_typing = fields.StrictBoolean(required=True)


class StopSpiritSchema(CommandSchema[commands.StopSpirit]):
    """A wish that the spirit stops."""

    command = commands.StopSpirit
    scope = f.String(
        validate=validate.OneOf(["turn", "all"]),
        metadata={"description": "`all` drops what waits behind the turn too."},
    )


class NothingSchema(CommandSchema[commands.Nothing]):
    """An empty object."""

    command = commands.Nothing


def read(schema: CommandSchema[C], said: object) -> C:
    """Return the command of what a client said.

    Raises `ValidationFailed` whose details name each field with its faults; a value that is no object
    names `_schema`.
    """
    try:
        return cast("C", schema.load(cast("Mapping[str, Any]", said)))
    except ValidationError as error:
        raise ValidationFailed(details=_shown(error.messages_dict)) from None


def _shown(faults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the faults under names that can be told: a field nobody knows is named as the client pleased."""
    return {
        fields.shown(str(name)): _shown(found) if isinstance(found, Mapping) else found
        for name, found in faults.items()
    }

"""The shapes of what goes out: the schemas that OpenAPI and AsyncAPI are made from and tests check against."""

from typing import Any

from marshmallow import RAISE, Schema, validate
from marshmallow import fields as f

from server.domain import Answers, CloseReason, Overlap, Role, TurnReason
from server.protocol import fields


def _text(description: str = "", **options: Any) -> f.String:
    return f.String(required=True, metadata={"description": description}, **options)


def _moment(description: str) -> f.String:
    return f.String(
        required=True, validate=validate.Regexp(_MOMENT), metadata={"format": "date-time", "description": description}
    )


_MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"


class Shape(Schema):
    """A shape whose fields are all there and no others."""

    class Meta:
        """Unknown fields are an error."""

        unknown = RAISE


class SpiritShape(Shape):
    """How the spirit of a session behaves."""

    answers = f.Enum(Answers, by_value=True, required=True)
    overlap = f.Enum(Overlap, by_value=True, required=True)
    debounce_ms = fields.whole(0, None, required=True)
    name = _text("What people call it.")
    persona = _text("Its manner, in prose.")


class SessionShape(Shape):
    """A session."""

    id = _text("UUID, 36 characters.")
    name = _text()
    max_users = fields.max_users(required=True)
    created_at = _moment("When it was made, UTC.")
    is_active = fields.StrictBoolean(required=True, metadata={"description": "False once it has ended."})
    head = fields.whole(
        0, None, required=True, metadata={"description": "The newest `seq`, 0 before the first message."}
    )
    spirit = f.Nested(SpiritShape, required=True)


class CreatedSessionShape(SessionShape):
    """A session just made; with auth on, the token of its host comes along."""

    host_token = f.String(metadata={"description": "Only with `AUTH_REQUIRED`."})


class UserShape(Shape):
    """A person in a session."""

    user_id = _text()
    user_name = _text()
    role = f.Enum(Role, by_value=True, required=True)


class MessageShape(Shape):
    """A message of a session."""

    id = _text()
    session_id = _text()
    seq = fields.whole(
        1, None, required=True, metadata={"description": "Counts 1, 2, 3 … within the session, without holes."}
    )
    user_id = _text()
    user_name = _text()
    message = fields.message_text(required=True)
    timestamp = _moment("When the server took it, UTC.")
    is_spirit = fields.StrictBoolean(required=True)
    client_message_id = fields.client_message_id(metadata={"description": "Only if the sender gave one."})


class PostedShape(Shape):
    """What a sender is told once the message is committed."""

    id = _text()
    seq = fields.whole(1, None, required=True)
    timestamp = _moment("When the server took it, UTC.")


class TokenShape(Shape):
    """A bearer token for one session."""

    token = _text("HS256 JSON Web Token.")
    role = f.Enum(Role, by_value=True, required=True)
    session_id = _text()
    expires_at = _moment("From then on it is refused.")


class TurnShape(Shape):
    """The spirit's turn under way, as far as it was said."""

    turn_id = _text()
    index = fields.whole(0, None, required=True, metadata={"description": "The `index` of the next delta."})
    text = _text("What was said so far.")


class ReplayShape(Shape):
    """What a joiner that named its `last_seq` gets next."""

    after = fields.whole(0, None, required=True, metadata={"description": "The `last_seq` that was named."})
    complete = fields.StrictBoolean(
        required=True, metadata={"description": "False: too much was missed and nothing is replayed; read the history."}
    )


class JoinedShape(Shape):
    """What a joiner is told."""

    session = f.Nested(SessionShape, required=True)
    user = f.Nested(UserShape, required=True)
    users = f.List(f.Nested(UserShape), required=True, metadata={"description": "Who is there, the joiner too."})
    head = fields.whole(
        0, None, required=True, metadata={"description": "The newest `seq`; live events start behind it."}
    )
    turn = f.Nested(TurnShape, metadata={"description": "Only while the spirit speaks."})
    replay = f.Nested(ReplayShape, metadata={"description": "Only for a joiner that named its `last_seq`."})


class TurnBegunShape(Shape):
    """The spirit thinks."""

    turn_id = _text()


class DeltaShape(Shape):
    """A piece of what the spirit says."""

    turn_id = _text()
    index = fields.whole(0, None, required=True, metadata={"description": "Counts 0, 1, 2 … within the turn."})
    text = _text()


class ErrorShape(Shape):
    """The error object, everywhere the same."""

    code = _text("One of the catalogue.")
    message = _text("A sentence for people.")
    details = f.Dict(
        keys=f.String(), required=True, metadata={"description": "Facts for programs; each faulty field by name."}
    )
    retryable = fields.StrictBoolean(required=True, metadata={"description": "Whether the same again may succeed."})


class PersonShape(Shape):
    """A person by id and name."""

    user_id = _text()
    user_name = _text()


class TurnEndedShape(Shape):
    """The spirit's turn is over."""

    turn_id = _text()
    reason = f.Enum(TurnReason, by_value=True, required=True)
    message_id = f.String(metadata={"description": "The message that holds the text, if anything was said."})
    seq = fields.whole(1, None, metadata={"description": "The `seq` of that message."})
    stopped_by = f.Nested(PersonShape, metadata={"description": "Who stopped it."})
    error = f.Nested(ErrorShape, metadata={"description": "Only with `failed` and `skipped`."})


class TypingShape(PersonShape):
    """Whether a person types."""

    is_typing = fields.StrictBoolean(required=True)


class ClosedShape(Shape):
    """Why the session is over."""

    reason = f.Enum(CloseReason, by_value=True, required=True)


class DrainingShape(Shape):
    """This process is going away."""

    retry_after = f.Float(required=True, metadata={"description": "Seconds to wait before coming back, jittered."})


class HealthShape(Shape):
    """Whether the server and its database are well."""

    status = f.String(required=True, validate=validate.OneOf(["healthy", "unhealthy"]))
    database = f.String(required=True, validate=validate.OneOf(["connected", "disconnected"]))
    environment = _text()
    timestamp = _moment("Now, UTC.")


class ReadinessShape(Shape):
    """Whether this process should get traffic, and why not."""

    status = _text("`live`, `ready` or what it waits for.")


class SpokenShape(Shape):
    """One message to the model."""

    role = f.String(required=True, validate=validate.OneOf(["system", "user", "assistant"]))
    content = _text("What is sent, quoted as data.")


class ContextShape(Shape):
    """What would be sent to the spirit's model if it spoke now; nothing for the offline spirit."""

    messages = f.List(f.Nested(SpokenShape), required=True)
    prompt_tokens = fields.whole(0, None, required=True, metadata={"description": "Estimated, rather too many."})
    left_out = fields.whole(0, None, required=True, metadata={"description": "How many messages did not fit."})

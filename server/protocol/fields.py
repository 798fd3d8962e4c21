"""The field types that all schemas share, each with the bounds of the contract."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from server.domain import (
    CLIENT_MESSAGE_ID_CHARS,
    MAX_USERS,
    MESSAGE_CHARS,
    PERSONA_CHARS,
    SESSION_NAME_CHARS,
    SPIRIT_USER_ID,
    UNSTORABLE,
    USER_ID_CHARS,
    USER_NAME_CHARS,
)

TOKEN_CHARS = 4096
SHOWN_CHARS = 64

DIGITS = re.compile(r"-?[0-9]{1,100}", re.ASCII)
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def storable(value: str) -> None:
    """Refuse what a database or a peer could not carry."""
    if UNSTORABLE.search(value):
        raise ValidationError("Must not contain NUL or lone surrogates.")


def one_line(value: str) -> None:
    """Refuse control characters: names are shown on one line."""
    storable(value)
    if CONTROL.search(value):
        raise ValidationError("Must not contain control characters.")


def not_blank(value: str) -> None:
    """Refuse text that shows as nothing."""
    if value and not value.strip():
        raise ValidationError("Must not be blank.")


def not_the_spirit(value: str) -> None:
    """Refuse the one id that is taken in every session."""
    if value == SPIRIT_USER_ID:
        raise ValidationError("Reserved for the spirit.")


def shown(word: str) -> str:
    """Return a client's own word as an error may repeat it: cut, and without what JSON cannot carry."""
    return word[:SHOWN_CHARS].encode(errors="replace").decode()


def name(chars: int, **options: Any) -> fields.String:
    """Return the field of a name shown on one line, 1 to `chars` characters."""
    return fields.String(validate=[validate.Length(1, chars), one_line, not_blank], **options)


def session_name(**options: Any) -> fields.String:
    """Return the field of a session's name."""
    return name(SESSION_NAME_CHARS, **options)


def user_name(**options: Any) -> fields.String:
    """Return the field of a person's name."""
    return name(USER_NAME_CHARS, **options)


def user_id(**options: Any) -> fields.String:
    """Return the field of a person's id: any string of 1 to 64 characters that can be stored."""
    return fields.String(validate=[validate.Length(1, USER_ID_CHARS), storable, not_the_spirit], **options)


def message_text(**options: Any) -> fields.String:
    """Return the field of a message's text."""
    return fields.String(validate=[validate.Length(1, MESSAGE_CHARS), storable, not_blank], **options)


def client_message_id(**options: Any) -> fields.String:
    """Return the field of the id a client gives its own message."""
    return fields.String(validate=[validate.Length(1, CLIENT_MESSAGE_ID_CHARS), one_line], **options)


def persona(**options: Any) -> fields.String:
    """Return the field of the spirit's manner, in prose; may be empty."""
    return fields.String(validate=[validate.Length(0, PERSONA_CHARS), storable], **options)


def max_users(**options: Any) -> fields.Integer:
    """Return the field of how many people a session seats."""
    return whole(1, MAX_USERS, **options)


def whole(least: int, most: int | None, **options: Any) -> fields.Integer:
    """Return the field of a JSON integer within bounds; `"1"` and `true` are refused."""
    return Whole(strict=True, validate=validate.Range(least, most), **options)


def whole_in_query(least: int, most: int, **options: Any) -> fields.Integer:
    """Return the field of an integer in a query, in decimal digits."""
    return WholeInQuery(validate=validate.Range(least, most), **options)


def text_id(**options: Any) -> fields.String:
    """Return the field of an id of ours; whether it exists is for the core to say."""
    return fields.String(validate=[validate.Length(1, 200), storable], **options)


def token(**options: Any) -> fields.String:
    """Return the field of a bearer token."""
    return fields.String(validate=[validate.Length(1, TOKEN_CHARS), storable], **options)


class Whole(fields.Integer):
    """A JSON integer, which may be written `1.0` (JSON Schema, validation, 6.1.1)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        is_whole = isinstance(value, float) and value.is_integer()
        return super()._deserialize(int(value) if is_whole else value, attr, data, **kwargs)


class WholeInQuery(fields.Integer):
    """Digits, and nothing else that Python would read as a number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if DIGITS.fullmatch(value) is None:
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class StrictBoolean(fields.Boolean):
    """A JSON boolean; `1`, `"yes"` and the like are refused."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value

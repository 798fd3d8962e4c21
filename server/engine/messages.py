"""Socket.IO packets as text, read without trust."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from .codec import loads
from .packets import Malformed

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = "0123456"
RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
MAX_ACK_DIGITS = 16
_NAME = re.compile(r'\s*"((?:[^"\\]|\\.){0,200})"')
_PACKET = re.compile(
    r"([0-6])"
    r"(?:([0-9]{1,10})-)?"  # attachments
    r"(?:(/[^,]{0,255})(?:,|$))?"  # namespace
    r"([0-9]{1,16})?"  # ack id
    r"(.*)",
    re.DOTALL,
)


@dataclass(slots=True)
class Packet:
    """One Socket.IO packet; `missing` attachments are still to come."""

    kind: str
    namespace: str
    id: int | None
    data: Any
    missing: int = 0
    attachments: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    text_bytes: int = 0

    def attach(self, attachment: bytes, max_bytes: int) -> bool:
        """Takes an attachment; says whether the packet is whole, and then holds it in place."""
        self.size_bytes += len(attachment)
        if self.size_bytes > max_bytes:
            raise Malformed("attachments too big")
        self.attachments.append(attachment)
        if len(self.attachments) < self.missing:
            return False
        self.data = _fill(self.data, list(self.attachments))
        return True


def read_packet(text: str, max_attachments: int) -> Packet:
    """The packet in a text; Malformed for what no client may send."""
    match = _PACKET.fullmatch(text)
    if match is None:
        raise Malformed("bad packet")
    kind, count, namespace, ack_id, rest = match.groups()
    namespace = (namespace or "/").partition("?")[0]
    packet = Packet(kind, namespace, int(ack_id) if ack_id else None, _read_data(kind, rest))
    packet.text_bytes = len(text) if text.isascii() else len(text.encode())
    if (count is not None) != (kind in (BINARY_EVENT, BINARY_ACK)):
        raise Malformed("bad attachment count")
    if count is not None:
        packet.missing = int(count)
        _check_placeholders(packet, max_attachments)
    if kind in (ACK, BINARY_ACK) and packet.id is None:
        raise Malformed("ack without id")
    return packet


def _read_data(kind: str, rest: str) -> Any:
    if kind == CONNECT:
        return read_auth(rest)
    if kind == DISCONNECT:
        return None
    if kind in (ACK, BINARY_ACK):
        answer = _read_json(rest)
        if not isinstance(answer, list):
            raise Malformed("bad ack")
        return answer
    if kind == CONNECT_ERROR:
        raise Malformed("bad packet type")
    name, args = read_arguments(rest)
    return [name, *args]


def _read_json(text: str) -> Any:
    try:
        return loads(text)
    except (ValueError, RecursionError):
        raise Malformed("bad JSON") from None


def read_event(text: str, *, parse: bool = True) -> tuple[int | None, str, tuple[Any, ...]]:
    """(ack id, name, arguments) of an event's text, its type digit included.

    Without `parse` the arguments are left unread, and the name is only looked for.
    """
    start = text.find("[", 0, MAX_ACK_DIGITS + 2)
    if start < 1:
        raise Malformed("bad event")
    ack_id = None
    if start > 1:
        digits = text[1:start]
        if not (digits.isdigit() and digits.isascii()):
            raise Malformed("bad event")
        ack_id = int(digits)
    if not parse:
        name = _NAME.match(text, start + 1)
        return ack_id, name[1] if name else "", ()
    return ack_id, *read_arguments(text[start:])


def read_arguments(text: str) -> tuple[str, tuple[Any, ...]]:
    """(name, arguments) of an event's JSON array."""
    items = _read_json(text)
    if not isinstance(items, list) or not items:
        raise Malformed("bad event")
    name = items[0]
    if not isinstance(name, str):
        if isinstance(name, bool) or not isinstance(name, int):
            raise Malformed("bad event name")
        name = str(name)
    return name, tuple(items[1:])


def read_auth(text: str) -> dict[str, Any] | None:
    """The object sent with CONNECT, or None."""
    if not text:
        return None
    auth = _read_json(text)
    if not isinstance(auth, dict):
        raise Malformed("bad auth")
    return auth


def _check_placeholders(packet: Packet, max_attachments: int) -> None:
    """Each attachment has its one place: none twice, none nowhere."""
    if packet.missing > max_attachments:
        raise Malformed("too many attachments")
    if sorted(_places(packet.data)) != list(range(packet.missing)):
        raise Malformed("bad placeholders")


def _places(value: Any) -> list[int]:
    if isinstance(value, list):
        return [place for item in value for place in _places(item)]
    if not isinstance(value, dict):
        return []
    if value.get("_placeholder") is True:
        number = value.get("num")
        if type(number) is not int:
            raise Malformed("bad placeholders")
        return [number]
    return [place for item in value.values() for place in _places(item)]


def _fill(value: Any, attachments: list[bytes]) -> Any:
    if isinstance(value, list):
        return [_fill(item, attachments) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is True:
        return attachments[value["num"]]
    return {key: _fill(item, attachments) for key, item in value.items()}

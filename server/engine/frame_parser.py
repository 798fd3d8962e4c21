"""A client's WebSocket byte stream, read frame by frame (RFC 6455), without any I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .deflate import inflate
from .frames import ProtocolFault, unmask

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_CONTROL = frozenset({CLOSE, PING, PONG})
_DATA = frozenset({TEXT, BINARY})
_RSV1, _RSV2_RSV3 = 0x40, 0x30
_KNOWN = frozenset({CONTINUATION, TEXT, BINARY}) | _CONTROL
_HEAD_BYTES, _MASK_BYTES = 2, 4
_MASKED = 0x80
_WHOLE_TEXT = 0x81
_SHORTEST_BYTES = _HEAD_BYTES + _MASK_BYTES
_MAX_CONTROL_BYTES, _TWO_BYTE_SIZE, _EIGHT_BYTE_SIZE = 125, 126, 127
_LONG = _MASKED | _EIGHT_BYTE_SIZE
PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1002, 1007, 1009
_CLOSE_CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
_FIRST_PRIVATE_CODE, _END_OF_CODES = 3000, 5000


class FrameParser:
    """Turns received bytes into (opcode, payload) of whole messages and control frames.

    Nothing is kept between whole frames, so an idle connection costs three empty slots.
    """

    __slots__ = ("_deflated", "_deflates", "_fragments", "_message_bytes", "_opcode", "_rest")

    def __init__(self, message_bytes: int, *, deflates: bool = False) -> None:
        self._deflates = deflates
        self._deflated = False
        self._message_bytes = message_bytes
        self._rest: bytes | bytearray = b""
        self._opcode = CONTINUATION
        self._fragments: bytearray | None = None

    def take_texts(self, data: bytes) -> tuple[list[bytearray], bytes]:
        """The payloads of the whole, plain text frames that `data` begins with, and the rest, which is for `feed`.

        Nearly every read is nothing but one or a few of them: 1 instead of 6 microseconds each.
        """
        texts: list[bytearray] = []
        if self._rest or self._fragments is not None:
            return texts, data
        start, end = 0, len(data)
        while end - start >= _SHORTEST_BYTES and data[start] == _WHOLE_TEXT:
            size, body = data[start + 1] - _MASKED, start + _SHORTEST_BYTES  # an unmasked frame has a size below zero
            if size > _MAX_CONTROL_BYTES:
                size, body = data[start + 2] << 8 | data[start + 3], body + 2
                if data[start + 1] == _LONG:
                    break
            stop = body + size
            if stop > end or not 0 <= size <= self._message_bytes:
                break
            texts.append(unmask(data[body:stop], data[body - _MASK_BYTES : body]))
            start = stop
        return texts, b"" if start == end else data[start:]

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes | bytearray]]:
        """What `data` completes; ProtocolFault at the first breach, once it is come to."""
        if self._rest:
            data = self._join(data)
            if not data:
                return
        start, end = 0, len(data)
        while True:
            head = self._head(data, start, end)
            if head is None:
                break
            opcode, final, body, size = head
            deflated = bool(data[start] & _RSV1)
            if end < body + size:
                break
            payload = unmask(data[body : body + size], data[body - _MASK_BYTES : body])
            start = body + size
            if opcode in _CONTROL:
                yield opcode, payload
                continue
            whole = self._assemble(opcode, payload, final=final, deflated=deflated)
            if whole is not None:
                yield whole[0], inflate(whole[1], self._message_bytes) if self._deflated else whole[1]
        self._keep(data, start)

    def _join(self, data: bytes) -> bytes:
        """The bytes kept and those that came, or none while a known frame is still short."""
        rest = self._rest if isinstance(self._rest, bytearray) else bytearray(self._rest)
        rest += data
        self._rest = rest
        head = self._head(rest, 0, len(rest))
        if head is None or len(rest) < head[2] + head[3]:
            return b""
        self._rest = b""
        return bytes(rest)

    def _keep(self, data: bytes, start: int) -> None:
        self._rest = data[start:] if start < len(data) else b""

    def _head(self, data: bytes | bytearray, start: int, end: int) -> tuple[int, bool, int, int] | None:
        """Opcode, whether final, where the payload starts and its size; None if not all is here."""
        if end - start < _HEAD_BYTES:
            return None
        first, second = data[start], data[start + 1]
        opcode, size = first & 0x0F, second & 0x7F
        if first & _RSV1 and not (self._deflates and opcode in _DATA):
            raise ProtocolFault(PROTOCOL_ERROR, "bad frame header")
        _check_head(first, second, opcode, size)
        body = start + _HEAD_BYTES + _MASK_BYTES
        if size == _TWO_BYTE_SIZE:
            body += 2
        elif size == _EIGHT_BYTE_SIZE:
            body += 8
        if end < body:
            return None
        if size > _MAX_CONTROL_BYTES:
            size = int.from_bytes(data[start + _HEAD_BYTES : body - _MASK_BYTES], "big")
        if opcode not in _CONTROL:
            self._check_size(size)
        return opcode, bool(first & 0x80), body, size

    def _check_size(self, size: int) -> None:
        held = len(self._fragments) if self._fragments is not None else 0
        if size + held > self._message_bytes:
            raise ProtocolFault(TOO_BIG, "message too big")

    def _assemble(
        self, opcode: int, payload: bytearray, *, final: bool, deflated: bool
    ) -> tuple[int, bytearray] | None:
        """The whole message if this frame completes one."""
        if opcode == CONTINUATION:
            if self._fragments is None:
                raise ProtocolFault(PROTOCOL_ERROR, "continuation of nothing")
            self._fragments += payload
        elif self._fragments is not None:
            raise ProtocolFault(PROTOCOL_ERROR, "message inside a message")
        else:
            self._deflated = deflated
            if final:
                return opcode, payload
            self._opcode, self._fragments = opcode, payload
        if not final:
            return None
        whole, self._fragments = self._fragments, None
        return self._opcode, whole


def _check_head(first: int, second: int, opcode: int, size: int) -> None:
    if first & _RSV2_RSV3 or opcode not in _KNOWN:
        raise ProtocolFault(PROTOCOL_ERROR, "bad frame header")
    if not second & 0x80:
        raise ProtocolFault(PROTOCOL_ERROR, "unmasked frame")
    if opcode in _CONTROL and (size > _MAX_CONTROL_BYTES or not first & 0x80):
        raise ProtocolFault(PROTOCOL_ERROR, "bad control frame")


def read_text(payload: bytes | bytearray) -> str:
    """The text of a text message; ProtocolFault 1007 when it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolFault(INVALID_DATA, "not UTF-8") from None


def read_close(payload: bytes | bytearray) -> tuple[int | None, str]:
    """Code and reason of a client's close frame; no code when it sent none."""
    if not payload:
        return None, ""
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _CLOSE_CODES or _FIRST_PRIVATE_CODE <= code < _END_OF_CODES):
        raise ProtocolFault(PROTOCOL_ERROR, "bad close code")
    return code, read_text(payload[2:])

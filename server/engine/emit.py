"""Encoding of what `emit` sends, in any namespace, with or without binary values."""

from __future__ import annotations

from typing import Any

from engineio import json as stock_json
from socketio import packet as sio_packet

from .codec import dumps
from .encoded import Encoded, encode_binary_message, encode_text, merge


def encode_for_namespace(items: list[Any], namespace: str, ack_id: int | None, json: Any) -> Encoded:
    """An event's packets: its text, then its attachments.

    ValueError for NaN, unless the application brought a JSON module of its own.
    """
    if sio_packet.Packet.data_is_binary(items):
        return _encode_binary(items, namespace, ack_id)
    head = "42" if namespace == "/" else f"42{namespace},"
    if ack_id is not None:
        head += str(ack_id)
    text = dumps(items) if json is stock_json else json.dumps(items).encode()
    return encode_text(head.encode() + text)


def _encode_binary(items: list[Any], namespace: str, ack_id: int | None) -> Encoded:
    packet = sio_packet.Packet(sio_packet.EVENT, namespace=namespace, data=items, id=ack_id)
    text, *attachments = packet.encode()
    return merge(
        [
            encode_text(f"4{text}".encode()),
            *(encode_binary_message(attachment) for attachment in attachments),
        ]
    )


def encode_packet(pkt: Any) -> Encoded:
    """A packet of python-engineio's, ready for both transports."""
    data = pkt.encode()
    return encode_binary_message(data) if isinstance(data, bytes) else encode_text(data.encode())

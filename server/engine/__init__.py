"""A drop-in engine for python-socketio on aiohttp: conformant, bounded, without a task per packet."""

from __future__ import annotations

from .encoded import Encoded, encode_ack, encode_event, merge
from .handlers import Accept, Handshake, Inbound, Refused
from .limits import Limits
from .recovery import RecoveredState, Recovery
from .server import SocketServer

__all__ = [
    "Accept",
    "Encoded",
    "Handshake",
    "Inbound",
    "Limits",
    "RecoveredState",
    "Recovery",
    "Refused",
    "SocketServer",
    "encode_ack",
    "encode_event",
    "merge",
]

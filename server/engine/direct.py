"""Namespace "/" for direct handlers: who is in, what they send, what they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import orjson

from .codec import dumps
from .encoded import Encoded, encode_text
from .handlers import Accept, Handshake, Inbound, Refused
from .messages import MAX_ACK_DIGITS, Packet, read_event
from .packets import Malformed
from .recovery import RecoveredState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .complaints import Complaints
    from .limits import Limits
    from .ports import Peer
    from .recovery import Recovery


# Behind "42" come the digits of an acknowledgement, and the bracket.
_EVENT_START = 2
_EVENT_HEAD_MOST = _EVENT_START + MAX_ACK_DIGITS + 1


class Registry(Protocol):
    """Where clients and rooms are kept."""

    def add(self, sid: str, namespace: str, eio_sid: str) -> None: ...
    def basic_disconnect(self, sid: str, namespace: str) -> None: ...


@dataclass(slots=True)
class _Joining:
    """A client whose connect handler runs; what others send it waits until it is in."""

    peer: Peer
    held: list[Encoded]
    held_bytes: int = 0
    gone: str | None = None


class Direct:
    """The handlers and the connections of namespace "/"."""

    def __init__(self, limits: Limits, recovery: Recovery | None, registry: Registry, complaints: Complaints) -> None:
        self._complaints = complaints
        self._event_bytes = limits.event_bytes
        self._queued_bytes = limits.queued_bytes
        self._recovery = recovery
        self._registry = registry
        self.peers: dict[str, Peer] = {}
        self._joining: dict[str, _Joining] = {}
        self.on_connect: Callable[[Handshake], Awaitable[Accept]] | None = None
        self.handlers: dict[str, Callable[[Inbound], None]] = {}
        self.on_unknown: Callable[[Inbound], None] = _ignore
        self.on_oversize: Callable[[Inbound], None] = _ignore
        self.on_gone: Callable[[str, str], None] = _ignore_gone

    # -- a client's packets

    def take_event(self, peer: Peer, payload: bytes | bytearray) -> bool:
        """Handles the event in an Engine.IO text message, and says so; anything unusual is left to `receive_event`.

        Nearly all that clients send is a short event with a handler. It is read from the bytes of its frame in one
        step, and in a third of the time that it takes to make a text of them and to ask for everything that it is not.
        """
        sid = peer.namespace_sid
        if peer.busy is not None or peer.partial is not None:
            return False
        start = payload.find(b"[", _EVENT_START, _EVENT_HEAD_MOST)
        if start < 0 or sid not in self.peers or len(payload) > self._event_bytes or not payload.startswith(b"42"):
            return False
        ack_id = None
        if start > _EVENT_START:
            digits = payload[_EVENT_START:start]
            if not digits.isdigit():
                return False
            ack_id = int(digits)
        try:
            name, *args = orjson.loads(payload[start:])
            handler = self.handlers.get(name)
        except (ValueError, TypeError):  # no JSON, an array of nothing, or a name that is no text
            return False
        if handler is None:
            return False
        try:
            handler(Inbound(sid, name, args, len(payload) - _EVENT_START, peer, ack_id))
        except Exception as error:  # noqa: BLE001 - whatever an application raises
            self._complaints.fault(peer.remote, "event handler", error)
        return True

    def receive_event(self, peer: Peer, text: str) -> None:
        """Hands an event, its type digit included, to its handler; Malformed if it is none, or the client not in."""
        sid = self._sid_of(peer)
        size = len(text) - 1 if text.isascii() else len(text.encode()) - 1
        ack_id, name, args = read_event(text, parse=size <= self._event_bytes)
        self._hand_over(peer, Inbound(sid, name, args, size, peer, ack_id))

    def receive_packet(self, peer: Peer, packet: Packet) -> None:
        """The same for an event that is read already, its attachments in place as bytes."""
        sid = self._sid_of(peer)
        name, *args = packet.data
        size = packet.text_bytes + packet.size_bytes
        self._hand_over(peer, Inbound(sid, name, args, size, peer, packet.id))

    def _sid_of(self, peer: Peer) -> str:
        sid = peer.namespace_sid
        if sid is None or sid not in self.peers:
            raise Malformed("event before CONNECT")
        return sid

    def _hand_over(self, peer: Peer, event: Inbound) -> None:
        is_oversize = event.size_bytes > self._event_bytes
        handler = self.on_oversize if is_oversize else self.handlers.get(event.name, self.on_unknown)
        try:
            handler(event)
        except Exception as error:  # noqa: BLE001 - whatever an application raises
            self._complaints.fault(peer.remote, "event handler", error)

    async def connect(self, peer: Peer, auth: object, remote: str, fresh_sid: str) -> None:
        """Asks the connect handler about a client, and answers it."""
        handler = self.on_connect
        if handler is None or peer.namespace_sid is not None:
            raise Malformed("second CONNECT")
        sid, auth, recovered = self._recover(auth, fresh_sid)
        joining = self._joining[sid] = _Joining(peer, [])
        peer.namespace_sid = sid
        self._registry.add(sid, "/", peer.sid)
        try:
            accept = await handler(Handshake(sid, auth, remote, recovered))
            welcome = encode_text(b"40" + dumps(self._welcome(sid, accept)))
        except Refused as refusal:
            self._refuse(joining, sid, refusal.data)
        except Exception as error:  # noqa: BLE001 - the same
            self._complaints.fault(remote, "connect handler", error)
            self._refuse(joining, sid, None)
        except BaseException:
            self._forget(sid, peer)
            raise
        else:
            self._accept(joining, sid, welcome, accept.after)

    def _recover(self, auth: object, fresh_sid: str) -> tuple[str, object, RecoveredState | None]:
        if self._recovery is None or not isinstance(auth, dict) or "pid" not in auth:
            return fresh_sid, auth, None
        pid, offset = auth.pop("pid"), auth.pop("offset", None)
        found = self._recovery.verify(pid, offset)
        if found is None:
            return fresh_sid, auth, None
        sid, state = found
        self._replace(sid)
        return (fresh_sid, auth, None) if sid in self._joining else (sid, auth, state)

    def _replace(self, sid: str) -> None:
        """Ends the connection that still holds a returning client's id."""
        old = self.peers.get(sid)
        if old is not None:
            self.gone(old, "replaced")
            old.abort("replaced")

    def _accept(self, joining: _Joining, sid: str, welcome: Encoded, after: Callable[[], None] | None) -> None:
        peer = joining.peer
        if joining.gone is not None:
            self._forget(sid, peer)
            self._tell_gone(peer, sid, joining.gone)
            return
        del self._joining[sid]
        self.peers[sid] = peer
        peer.send(welcome)
        if after is not None:
            try:
                after()
            except Exception as error:  # noqa: BLE001 - the same
                self._complaints.fault(peer.remote, "after", error)
        for packet in joining.held:
            peer.send(packet)

    def _welcome(self, sid: str, accept: Accept) -> dict[str, str]:
        if self._recovery is None or accept.recovery is None:
            return {"sid": sid}
        if isinstance(accept.recovery, RecoveredState):
            return {"sid": sid, "pid": accept.recovery.pid}
        return {"sid": sid, "pid": self._recovery.issue(sid, accept.recovery)}

    def _refuse(self, joining: _Joining, sid: str, data: object) -> None:
        self._forget(sid, joining.peer)
        message = data.get("message") if isinstance(data, dict) else None
        answer = {"message": message if isinstance(message, str) else "Connection refused"}
        if data is not None:
            answer["data"] = data  # type: ignore[assignment]
        joining.peer.send(encode_text(b"44" + dumps(answer)))

    def _forget(self, sid: str, peer: Peer) -> None:
        self._joining.pop(sid, None)
        self.peers.pop(sid, None)
        if peer.namespace_sid == sid:
            peer.namespace_sid = None
        self._registry.basic_disconnect(sid, "/")

    def gone(self, peer: Peer, reason: str) -> None:
        """Tells the application, once, that a client has left or its connection is lost."""
        sid = peer.namespace_sid
        if sid is None:
            return
        joining = self._joining.get(sid)
        if joining is not None:
            joining.gone = reason
            return
        self._forget(sid, peer)
        self._tell_gone(peer, sid, reason)

    def _tell_gone(self, peer: Peer, sid: str, reason: str) -> None:
        try:
            self.on_gone(sid, reason)
        except Exception as error:  # noqa: BLE001 - the same
            self._complaints.fault(peer.remote, "gone handler", error)

    # -- what clients are sent

    def write(self, sid: str, packet: Encoded) -> None:
        """Queues a packet for one client."""
        peer = self.peers.get(sid)
        if peer is not None:
            peer.send(packet)
        elif sid in self._joining:
            self._hold(self._joining[sid], packet)

    def _hold(self, joining: _Joining, packet: Encoded) -> None:
        if joining.gone is not None:
            return
        joining.held.append(packet)
        joining.held_bytes += len(packet.frames)
        if joining.held_bytes > self._queued_bytes:
            joining.held.clear()
            joining.peer.abort("slow consumer")


def _ignore(_: Inbound) -> None:
    """Stands in for a handler that was not given."""


def _ignore_gone(_: str, __: str) -> None:
    """Stands in for a handler that was not given."""

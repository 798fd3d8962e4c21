"""The functions that every message passes, one by one, each ready to be called again and again."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from benchmarks.nowhere import accept, connect
from server.core.limits import Limits
from server.core.messages import drafted
from server.core.sequencer import Sequencer
from server.domain import Participant, SessionId, UserId
from server.engine import Encoded, SocketServer
from server.engine.encoded import encode_text
from server.engine.frame_parser import FrameParser
from server.engine.frames import frame, unmask
from server.engine.messages import read_event
from server.moments import new_id
from server.protocol.envelopes import acknowledgement_json
from server.protocol.quick import quick_message
from server.realtime.bundle import Bundle
from server.store.log_postgres import rows_of
from server.store.outcomes import outcomes_of, without_repeats

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.protocol.wire import Draft

TEXT = "Is anybody there? Knock once for yes and twice for no."
SAID = {"message": TEXT, "client_message_id": "7f3a-112"}
EVENT = '17["send_message",' + orjson.dumps(SAID).decode() + "]"
PAYLOAD = b"42" + EVENT.encode()
MASK = b"\x37\xfa\x21\x3d"
SESSION, SPEAKER = SessionId(new_id()), Participant(UserId(new_id()), "Ada")
HITS_OF_ONE = 10


@dataclass(frozen=True, slots=True)
class Hot:
    """Something to measure; `make` prepares it and returns the call, which does the work `times` times."""

    name: str
    make: Callable[[], Callable[[], object]]
    times: int = 1


def draft(client_message_id: str = "7f3a-112") -> Draft:
    return drafted(SESSION, SPEAKER, TEXT, client_message_id)


def message() -> Draft:
    said = draft()
    said.seq = 112
    return said


def frame_parse() -> Callable[[], object]:
    size = len(PAYLOAD)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
    received = head + MASK + unmask(PAYLOAD, MASK)
    parser = FrameParser(1_000_000)
    return lambda: parser.take_texts(received)


def count_limits() -> Callable[[], object]:
    limits, number = Limits(enabled=True), itertools.count()
    # Ten messages of each person: nobody comes to the limit, and not everybody is new.
    return lambda: limits.message(SESSION, UserId(str(next(number) // HITS_OF_ONE)))


def make_event() -> Callable[[], object]:
    said = message()
    return lambda: encode_text(said.socket_io(with_offset=True))


def make_ack() -> Callable[[], object]:
    said = message()
    return lambda: encode_text(b"4317[%b]" % acknowledgement_json(said))


def offer() -> Callable[[], object]:
    order: Sequencer[None] = Sequencer()
    order.start(0)
    numbers = itertools.count(1)
    return lambda: order.offer(next(numbers), None)


def pack() -> Callable[[], object]:
    said = message()
    return lambda: Bundle.unpack(Bundle([said], b"", said.seq, said.seq).packed())


def batch() -> Callable[[], object]:
    drafts, written = [draft(str(n)) for n in range(100)], list(range(1, 101))

    def prepare() -> object:
        firsts, _ = without_repeats(drafts)
        rows_of(firsts)
        return outcomes_of(firsts, written)

    return prepare


async def crowded(sio: SocketServer, members: int) -> None:
    """Has so many clients in the room "hall" of a server."""
    sio.on_connect(accept)
    for _ in range(members):
        sio.enter(await connect(sio), "hall")


def broadcast(members: int, times: int) -> Callable[[], object]:
    loop = asyncio.new_event_loop()
    sio = SocketServer()
    loop.run_until_complete(crowded(sio, members))
    packet: Encoded = make_event()()  # type: ignore[assignment]

    async def tell() -> None:
        for _ in range(times):
            sio.broadcast("hall", packet)
            await asyncio.sleep(0)  # what one turn of the loop brings leaves in one write

    return lambda: loop.run_until_complete(tell())


HOT = (
    Hot("unmask", lambda: lambda: unmask(PAYLOAD, MASK)),
    Hot("frame parser: one text frame", frame_parse),
    Hot("read_event", lambda: lambda: read_event(EVENT)),
    Hot("quick_message", lambda: lambda: quick_message(SAID)),
    Hot("limits: one message", count_limits),
    Hot("draft: id, moment, JSON", lambda: draft),
    Hot("event: object, JSON, packet, frame", make_event),
    Hot("ack: object, JSON, packet, frame", make_ack),
    Hot("frame", lambda: lambda: frame(PAYLOAD)),
    Hot("sequencer: offer", offer),
    Hot("wire: pack and unpack", pack),
    Hot("log: a batch of 100 prepared", batch),
    Hot("broadcast to 6", lambda: broadcast(6, 100), times=100),
    Hot("broadcast to 1,000", lambda: broadcast(1_000, 1)),
)

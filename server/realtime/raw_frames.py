"""The frames of the raw door: `{event, data, id?}` in, acknowledgements out."""

from dataclasses import dataclass
from typing import cast

from server.domain import FRAME_BYTES
from server.engine.websocket import frame
from server.errors import InvalidJson, PayloadTooLarge, SeanceError, ValidationFailed
from server.protocol.codec import dumps, loads
from server.protocol.envelopes import acknowledgement_json
from server.protocol.fields import SHOWN_CHARS, shown

FrameId = str | int


@dataclass(frozen=True, slots=True)
class Said:
    """A client's frame: an event, its object, and an id if it wants an acknowledgement; or what is wrong with it."""

    event: str
    data: object
    id: FrameId | None
    fault: ValidationFailed | None = None


def ack_frame(frame_id: FrameId, result: object | SeanceError) -> bytes:
    """Return an acknowledgement: the REST envelope with the id of the frame it answers."""
    return frame(b'{"event":"ack","id":%b,%b' % (dumps(frame_id), acknowledgement_json(result)[1:]))


def read_object(text: str) -> dict[str, object]:
    """Return the object of a frame.

    Raises `PayloadTooLarge` over 64 KiB, `InvalidJson`, or `ValidationFailed` if it is no object.
    """
    if len(text) > FRAME_BYTES or len(text.encode(errors="surrogatepass")) > FRAME_BYTES:
        raise PayloadTooLarge(details={"bytes_most": FRAME_BYTES})
    try:
        said = loads(text)
    except ValueError:
        raise InvalidJson from None
    if not isinstance(said, dict):
        raise ValidationFailed(details={"_schema": ["Expected one object."]})
    return said


def read_said(text: str) -> Said:
    """Return what a client says; raises as `read_object`."""
    said = read_object(text)
    event, frame_id = said.get("event"), said.get("id")
    faults: dict[str, list[str]] = {shown(name): ["Unknown field."] for name in said.keys() - {"event", "data", "id"}}
    if not isinstance(event, str):
        faults["event"] = ["Not a valid string."]
    if not _is_id(frame_id):
        faults["id"] = [f"Must be an integer, or a string of up to {SHOWN_CHARS} characters."]
    answered = None if "id" in faults else cast("FrameId | None", frame_id)
    return Said(str(event), said.get("data"), answered, ValidationFailed(details=faults) if faults else None)


def _is_id(value: object) -> bool:
    """Tell whether an acknowledgement can repeat a value; None asks for none."""
    if isinstance(value, str):
        return value == shown(value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool))

"""What is written out by hand says what its schema and its object say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.messages import drafted
from server.domain import Participant, SessionId, UserId
from server.engine import Encoded
from server.errors import SessionClosed, ValidationFailed
from server.moments import new_id
from server.protocol.envelopes import acknowledgement, acknowledgement_json
from server.protocol.objects import message_object, message_of
from server.protocol.wire import Draft, Wire, WireEvent
from server.realtime.bundle import RUN, Bundle

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def messages() -> st.SearchStrategy[Draft]:
    def build(user_id: str, name: str, text: str, own_id: str | None, seq: int, *, is_spirit: bool) -> Draft:
        speaker = Participant(UserId(user_id), name)
        message = drafted(SessionId(new_id()), speaker, text, own_id, is_spirit=is_spirit)
        message.seq = seq
        return message

    own_ids = st.one_of(st.none(), words)
    return st.builds(build, words, words, words, own_ids, st.integers(1, 2**53), is_spirit=st.booleans())


def without_moment(answer: dict[str, Any]) -> dict[str, Any]:
    assert set(answer["meta"]) == {"timestamp"}
    return {**answer, "meta": None}


@given(message=messages())
def test_a_message_told_from_its_head_is_the_message(message: Draft) -> None:
    wire: Wire = message
    assert json.loads(wire.data) == message_object(message)
    assert json.loads(WireEvent.of_message(message).data) == json.loads(wire.data)
    assert message_object(message_of(json.loads(wire.data))) == message_object(message)


@given(said=st.lists(messages(), min_size=1, max_size=4))
def test_a_run_that_another_process_hears_is_the_run_that_was_told(said: list[Draft]) -> None:
    for seq, message in enumerate(said, 17):
        message.seq = seq
    told = Bundle(said, b"", 17, 16 + len(said))
    heard = Bundle.unpack(told.packed())
    assert (heard.first, heard.last, heard.frames) == (told.first, told.last, told.frames)
    assert [(w.name, w.data, w.seq) for w in heard.wires] == [(w.name, w.data, w.seq) for w in said]
    assert heard.plain_frames == told.plain_frames
    assert Encoded(heard.frames).packets == tuple(w.socket_io(with_offset=True).decode() for w in said)


def test_other_events_are_packed_one_by_one() -> None:
    wire = WireEvent(b"typing", b'{"a":"\\u0000"}')
    assert WireEvent.unpack(wire.packed()) == wire
    assert not wire.packed().startswith(RUN)


@given(message=messages())
def test_the_acknowledgement_of_a_message_is_written_as_its_envelope_says(message: Draft) -> None:
    written = json.loads(acknowledgement_json(message))
    assert without_moment(written) == without_moment(acknowledgement(message))


@pytest.mark.parametrize("result", [None, {"a": [1]}, SessionClosed()])
def test_so_is_any_other(result: object) -> None:
    assert without_moment(json.loads(acknowledgement_json(result))) == without_moment(acknowledgement(result))


def test_half_of_a_pair_is_no_text() -> None:
    with pytest.raises(ValidationFailed):
        drafted(SessionId(new_id()), Participant(UserId("spirit"), "Spirit"), "\ud83d")

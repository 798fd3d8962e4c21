"""An event read from the bytes of its frame is the event that is read from its text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.engine.complaints import Complaints
from server.engine.connection import Connection
from server.engine.direct import Direct
from server.engine.limits import Limits
from server.engine.packets import Malformed
from server.engine.rooms import indexed
from tests.engine.test_connection import FakeHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.engine import Inbound

EVENT_BYTES = 200

names = st.sampled_from(['"say"', '"other"', '"connect"', "1", "null", "[]", "{}", '"s\\u0061y"', '"\\ud800"'])
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=5,
).map(json.dumps)
arrays = st.builds(lambda name, rest: "[" + ",".join([name, *rest]) + "]", names, st.lists(values, max_size=2))
heads = st.sampled_from(["", "0", "7", "007", "1234567890123456", "12345678901234567", "+1", "1_0", " 1", "-", "٣"])
payloads = st.one_of(
    st.builds(lambda head, array, tail: f"42{head}{array}{tail}", heads, arrays, st.sampled_from(["", " ", "]", ","])),
    st.sampled_from(["42", "4", "", "42[", "42[]", '42["say",NaN]', '42["say",1e999]', '42/,["say"]', '2["say"]']),
    st.text(alphabet='42[]",sayother01 \x00é', max_size=20),
    st.integers(EVENT_BYTES - 15, EVENT_BYTES + 5).map(lambda size: f'42["say","{"x" * size}"]'),
)


class Stage:
    """Direct handlers with one client, who is in."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.direct = Direct(Limits(event_bytes=EVENT_BYTES), None, indexed(None), Complaints(0))
        self.direct.handlers = {"say": self.see("say"), "other": self.see("other")}
        self.direct.on_unknown, self.direct.on_oversize = self.see("unknown"), self.see("oversize")
        self.peer = Connection(FakeHost(), "eio", "address")
        self.peer.namespace_sid = "sid"
        self.direct.peers["sid"] = self.peer

    def see(self, handler: str) -> Callable[[Inbound], None]:
        def seen(event: Inbound) -> None:
            self.seen.append((handler, event.sid, event.name, list(event.args), event.size_bytes))
            event.answer("yes")

        return seen

    def outcome(self) -> tuple[list[tuple[Any, ...]], str]:
        return self.seen, self.peer.take_payload()


@given(text=payloads)
def test_it_is_taken_as_its_text_would_be_or_left_alone(text: str) -> None:
    quick, slow = Stage(), Stage()
    taken = quick.direct.take_event(quick.peer, bytearray(text.encode()))
    if not taken:
        assert quick.outcome() == ([], "6")
        return
    slow.direct.receive_event(slow.peer, text[1:])
    assert quick.outcome() == slow.outcome()


@given(array=st.builds(lambda rest: '["say",' + ",".join(rest) + "]", st.lists(values, min_size=1, max_size=2)))
def test_plain_events_are_taken(array: str) -> None:
    stage, payload = Stage(), bytearray(f"4217{array}".encode())
    if len(payload) <= EVENT_BYTES:
        assert stage.direct.take_event(stage.peer, payload)
        assert stage.seen[0][3] == json.loads(array)[1:]
        assert stage.peer.take_payload() == '4317["yes"]'


@pytest.mark.parametrize("payload", [b'42["say","\xff"]', b'42["say\xff"]', b'42\xff["say"]', b'42["say",NaN]'])
def test_what_is_no_text_or_no_json_is_left_to_whoever_closes_the_connection(payload: bytes) -> None:
    stage = Stage()
    assert not stage.direct.take_event(stage.peer, bytearray(payload))
    assert stage.seen == []


def test_nothing_is_taken_from_a_client_that_is_not_in() -> None:
    stage = Stage()
    stage.direct.peers.clear()
    assert not stage.direct.take_event(stage.peer, bytearray(b'42["say"]'))
    with pytest.raises(Malformed):
        stage.direct.receive_event(stage.peer, '2["say"]')


def test_a_handler_that_raises_has_taken_its_event() -> None:
    def explode(_: Inbound) -> None:
        raise RuntimeError

    stage = Stage()
    stage.direct.handlers["say"] = explode
    assert stage.direct.take_event(stage.peer, bytearray(b'42["say"]'))

"""The registry of events: complete, and a judge of what may be sent."""

from __future__ import annotations

import pytest

from server.protocol import events, inbound, outbound
from server.protocol.events import EVENTS, INBOUND, check_ack, check_event


def test_every_event_class_is_registered() -> None:
    assert {event.name for event in outbound.Event.__subclasses__()} == set(EVENTS)


def test_every_event_of_the_contract_is_registered() -> None:
    assert set(EVENTS) == {
        "session_joined",
        "message_received",
        "spirit_thinking",
        "spirit_delta",
        "spirit_finished",
        "user_joined",
        "user_left",
        "typing",
        "session_updated",
        "session_closed",
        "server_draining",
        "error",
    }
    assert list(INBOUND) == [
        "join_session",
        "leave_session",
        "send_message",
        "typing",
        "stop_spirit",
        "summon_spirit",
    ]


@pytest.mark.parametrize("name", EVENTS)
def test_an_example_of_what_the_server_sends_passes(name: str) -> None:
    check_event(name, EVENTS[name].example.data())


@pytest.mark.parametrize("name", INBOUND)
def test_an_example_of_what_clients_send_is_read_and_its_acknowledgement_passes(name: str) -> None:
    event = INBOUND[name]
    inbound.read(event.schema(), event.example)
    check_ack(name, event.ack_example)


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_with_a_field_of_no_shape_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Unknown field"):
        check_event(name, {**EVENTS[name].example.data(), "colour": "red"})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("spirit_delta", {"turn_id": "t", "index": "0", "text": "Someone "}),
        ("spirit_delta", {"turn_id": "t", "index": -1, "text": "Someone "}),
        ("spirit_delta", {"turn_id": "t", "index": 0}),
        ("session_closed", {"reason": "bored"}),
        ("typing", {"user_id": "ada", "user_name": "Ada", "is_typing": 1}),
        ("message_received", None),
        ("message_sent", {}),
    ],
)
def test_what_the_server_must_not_send_is_refused(name: str, data: object) -> None:
    with pytest.raises(ValueError, match=name):
        check_event(name, data)


def test_an_acknowledgement_of_null_or_of_a_shape_is_held_to_it() -> None:
    with pytest.raises(ValueError, match="carries null"):
        check_ack("typing", {})
    with pytest.raises(ValueError, match="seq"):
        check_ack("send_message", {"id": "m", "timestamp": "2026-11-01T21:30:00.125000Z"})


def test_every_registered_event_has_a_sentence() -> None:
    assert all(event.summary.endswith(".") for event in (*events.OUTGOING, *events.INCOMING))

"""What of an evening reaches a model, and what is left out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import MESSAGE_CHARS, PERSONA_CHARS, Participant, SpiritSettings, UserId
from server.spirit.prompt import LISTED_PEOPLE, build_prompt, build_summary_request
from server.spirit.tokens import cut_to_tokens, estimate_tokens
from tests.spirit.scenes import ANNA, BEN, Table, session


def test_the_newest_messages_are_kept_whole_and_in_order() -> None:
    table = Table()
    for number in range(200):
        table.says(ANNA if number % 2 else BEN, f"Message {number} of a long evening, with a few words more.")
    prompt = build_prompt(table.scene(), 2_000)
    kept = [json.loads(row) for row in prompt.messages[-1].content.split("\n")]
    assert [row["seq"] for row in kept] == list(range(201 - len(kept), 201))
    assert [message.seq for message in prompt.left_out] == list(range(1, 201 - len(kept)))
    assert all(row["text"].endswith("more.") for row in kept)
    assert 20 < len(kept) < 100
    assert 1_800 < prompt.tokens <= 2_000


@pytest.mark.parametrize("char", ["a", "7", "ж", "霊", "👻", "<", "\u2028"])
def test_a_newest_message_over_the_budget_is_told_of_without_its_text(char: str) -> None:
    prompt = build_prompt(Table().says(ANNA, char * MESSAGE_CHARS), 1_500)
    row = json.loads(prompt.messages[-1].content)
    assert row == {"seq": 1, "from": "p1", "name": "Anna", "text_too_long_chars": MESSAGE_CHARS}
    assert prompt.tokens <= 1_500


def test_persona_and_summary_leave_half_of_the_budget_to_the_messages() -> None:
    table = Table((ANNA,), SpiritSettings(persona="霊" * PERSONA_CHARS))
    table.summary = "霊" * 10_000
    for number in range(50):
        table.says(ANNA, f"Message {number}.")
    prompt = build_prompt(table.scene(), 4_000)
    assert prompt.tokens <= 4_000
    assert len(prompt.left_out) < 20


def test_a_summons_after_the_spirit_spoke_ends_with_a_row_of_the_server() -> None:
    table = Table()
    table.says(ANNA, "Hello.")
    prompt = build_prompt(table.spirit_says("Who calls?"), 4_000)
    assert [message.role for message in prompt.messages] == ["system", "user", "user", "assistant", "user"]
    assert json.loads(prompt.messages[-1].content) == {"event": "the people call you to speak"}


def test_an_empty_room_still_makes_a_prompt() -> None:
    assert [message.role for message in build_prompt(Table(()).scene(), 4_000).messages] == ["system", "user", "user"]


def test_a_crowd_is_counted_and_listed_up_to_a_bound() -> None:
    crowd = [Participant(UserId(f"u{number}"), f"Guest {number}") for number in range(500)]
    room = build_prompt(Table(crowd).says(crowd[0], "Hello."), 4_000).messages[1].content.split("\n")
    assert json.loads(room[0])["people_here"] == 500
    assert len(room) == 1 + LISTED_PEOPLE


def test_notes_take_the_oldest_first_and_tell_what_is_left() -> None:
    table = Table()
    for number in range(100):
        table.says(ANNA, f"Message {number} with a few words.")
    request = build_summary_request(session(), "", table.messages, 1_000)
    assert request.left_out
    assert request.left_out[-1].seq == 100
    assert '"seq":1,' in request.messages[1].content
    assert request.tokens <= 1_100


@given(st.text())
def test_the_estimate_stays_between_a_token_for_each_byte_and_one_for_five_letters(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    assert size / 5 <= estimate_tokens(text) <= size + 1


@given(st.text(), st.integers(0, 50))
def test_a_cut_text_fits_and_is_a_beginning(text: str, limit: int) -> None:
    cut = cut_to_tokens(text, limit)
    assert text.startswith(cut)
    assert estimate_tokens(cut) <= limit

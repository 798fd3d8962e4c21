"""A model's pieces made fit to be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.spirit.mouth import Mouth


def said(*pieces: str, limit: int = 100) -> list[str]:
    mouth = Mouth(limit)
    return [piece for piece in map(mouth.feed, pieces) if piece]


def test_blank_edges_are_never_said() -> None:
    assert said("\n\n", "  I am", " ", "here. ", "\n") == ["I am", " here."]


def test_halves_of_a_character_are_said_together() -> None:
    assert said("a\ud83d", "\udc7bb") == ["a", "👻b"]


def test_half_a_character_that_stays_alone_becomes_a_mark_of_loss() -> None:
    assert said("a\udc7bb", "\ud83d", "c") == ["a\ufffdb", "\ufffdc"]


def test_controls_are_dropped_and_line_breaks_stay() -> None:
    assert said("a\x00\x1b[2Jb\nc\td") == ["a[2Jb\nc\td"]


@pytest.mark.parametrize("limit", [1, 5, 6])
def test_the_bound_holds_to_the_character(limit: int) -> None:
    mouth = Mouth(limit)
    text = "".join(mouth.feed(piece) for piece in ["Hello ", "there, ", "you."])
    assert text == "Hello there, you."[:limit].rstrip()
    assert len(text) <= limit


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)), st.integers(1, 40))
def test_the_pieces_joined_are_the_text_without_edges_and_controls(pieces: list[str], limit: int) -> None:
    mouth = Mouth(limit)
    parts = [mouth.feed(piece) for piece in pieces]
    assert "".join(parts) == mouth.said
    assert mouth.said == mouth.said.strip()
    assert len(mouth.said) <= limit
    assert "\x00" not in mouth.said

"""How the offline spirit feels over an evening."""

from __future__ import annotations

from itertools import pairwise

import pytest

from server.spirit.ouija.mood import Mood, mood_at


def calm(session_id: str, seq: int, persona: str = "") -> Mood:
    return mood_at(session_id, seq, persona, hurt=False, soothed=False)


def test_moods_drift_over_an_evening_and_stay_for_a_while() -> None:
    evening = [calm("s", seq) for seq in range(200)]
    changes = sum(before is not after for before, after in pairwise(evening))
    assert len(set(evening)) >= 4
    assert 5 < changes < 25


@pytest.mark.parametrize(
    ("persona", "mood"),
    [
        ("A pirate who cheats at cards", Mood.SLY),
        ("You are kind and patient", Mood.TENDER),
        ("a lonely widow", Mood.MOURNFUL),
        ("grumpy old colonel", Mood.COLD),
        ("mad as a hatter", Mood.RESTLESS),
    ],
)
def test_a_persona_sets_the_mood_it_starts_in_and_comes_back_to(persona: str, mood: Mood) -> None:
    assert calm("s", 1, persona) is mood
    assert sum(calm("s", seq, persona) is mood for seq in range(300)) > 60


def test_hurt_outweighs_everything_and_thanks_the_drift() -> None:
    assert mood_at("s", 50, "kind", hurt=True, soothed=True) is Mood.COLD
    assert mood_at("s", 50, "cruel", hurt=False, soothed=True) is Mood.TENDER

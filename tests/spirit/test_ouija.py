"""What the offline spirit does with an evening."""

# ruff: noqa: RUF001 - letters of other alphabets are the subject of some tests

from __future__ import annotations

import random
import re
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ports import Usage
from server.domain import MESSAGE_CHARS, Participant, SpiritSettings, UserId
from server.spirit.ouija import OuijaSpirit
from server.spirit.ouija.answers import ANSWER_CHARS, answer
from server.spirit.ouija.board import read
from server.spirit.ouija.chance import Chance
from server.spirit.ouija.graphemes import graphemes
from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.phrases.asked import ASKED, WHERE
from server.spirit.ouija.phrases.games import GAMES
from server.spirit.ouija.phrases.lives import LIVES
from server.spirit.ouija.phrases.own import OWN
from server.spirit.ouija.phrases.talk import TALK
from server.spirit.ouija.voice import TURN_SECONDS, pauses
from tests.spirit.scenes import ANNA, BEN, CLEO, Table

if TYPE_CHECKING:
    from server.core.ports import Scene

THINGS = ["ring", "key", "letters", "silver", "deeds", "watch", "lamp", "chain", "purse", "map"]
EVENINGS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(40)]


def ask(table: Table, text: str, person: Participant = ANNA) -> str:
    """The spirit's answer, which it then has said."""
    said = answer(table.says(person, text))
    table.spirit_says(said)
    return said


def evening(number: int = 0, *people: Participant, spirit: SpiritSettings | None = None) -> Table:
    return Table(people or (ANNA, BEN, CLEO), spirit, EVENINGS[number])


async def speak(scene: Scene, pace: float = 0.0) -> list[str]:
    return [piece async for piece in OuijaSpirit(pace=pace).speak(scene) if not isinstance(piece, Usage)]


async def test_the_same_scene_gets_the_same_answer_from_any_process() -> None:
    scene = evening().says(ANNA, "Is there treasure in the cellar?")
    assert await speak(scene) == await speak(scene)
    assert "".join(await speak(scene)) == answer(scene)


async def test_the_answer_comes_letter_by_letter_at_a_pace() -> None:
    waits: list[float] = []

    async def delay(seconds: float) -> None:
        waits.append(seconds)

    scene = evening().says(ANNA, "Tell us a story")
    letters = [letter async for letter in OuijaSpirit(pace=2.0, delay=delay).speak(scene)]
    assert len(waits) == len(letters) > 20
    assert all(len(str(letter)) == 1 for letter in letters)
    assert 0.08 <= waits[1] <= 0.14
    assert 2.0 <= sum(waits) <= 2 * TURN_SECONDS + 0.01


def test_no_answer_takes_longer_than_its_bound() -> None:
    assert sum(pauses(["a"] * ANSWER_CHARS)) <= TURN_SECONDS + 0.001


@pytest.mark.parametrize(
    "question", ["Will it rain?", "is ben lying", "Should I go?", "Do you like us?", "can we win??"]
)
def test_yes_no_and_perhaps_all_happen(question: str) -> None:
    leads = Counter(answer(Table((ANNA, BEN), None, sid).says(ANNA, question)).split(".")[0][:3] for sid in EVENINGS)
    assert leads["YES"] + leads["Y E"] + leads["OUI"] > 3
    assert leads["NO"] + leads["N O"] + leads["NO,"] > 3
    assert len(leads) > 4


def test_a_question_asked_again_gets_the_same_verdict_and_a_remark() -> None:
    for number in range(20):
        table = evening(number)
        first = ask(table, "Will Ben find the ring?")
        ask(table, "What is it like there?", BEN)
        again = ask(table, "will ben find the ring", CLEO)
        verdict = next(word for word in ("YES", "NO", "PERHAPS") if word in again)
        expected = {"Y": "YES", "O": "YES"}.get(first[0], "NO" if first[:2] in {"NO", "N "} else "PERHAPS")
        if first.startswith("NOT YET"):
            expected = "PERHAPS"
        assert verdict == expected
        assert again != first


def test_its_life_is_one_and_the_same_all_evening() -> None:
    for number in range(10):
        table = evening(number)
        life = Chance("life", EVENINGS[number]).pick(LIVES)
        names = [ask(table, "What is your name?"), ask(table, "who are you", BEN)]
        assert all(life.name.upper() in name.upper().replace(" ", "") for name in names)
        assert str(life.year) in ask(table, "When did you die?")
        assert str(life.age) in ask(table, "How old are you?")


def test_a_given_name_is_its_name() -> None:
    table = evening(0, ANNA, spirit=SpiritSettings(name="Grimble"))
    assert "grimble" in ask(table, "what's your name?").casefold().replace(" ", "")


def test_a_persona_draws_the_life_that_fits_it() -> None:
    for number in range(10):
        table = evening(number, ANNA, spirit=SpiritSettings(persona="A sailor whose compass led him over the moor"))
        assert ask(table, "Tell us a story") == "Every mapmaker draws one road that is not there."
        assert "mapmaker" not in " ".join(ask(table, "What are you?") for _ in range(8))


def test_its_story_goes_on_line_by_line_and_ends() -> None:
    table = evening()
    life = Chance("life", EVENINGS[0]).pick(LIVES)
    told = [ask(table, "Tell us a story")] + [ask(table, "and then?") for _ in range(len(life.story))]
    assert tuple(told[:-1]) == life.story
    assert told[-1] not in life.story


def test_it_keeps_the_names_that_people_gave() -> None:
    for sid in EVENINGS[:10]:
        table = Table((ANNA, BEN), None, sid)
        ask(table, "my cat Pickle sits on the sill, and our house is called Ravenhill.")
        assert "PICKLE" in ask(table, "What is my cat's name?", BEN).replace(" ", "")
        assert "RAVENHILL" in ask(table, "do you know what our house is called?", BEN).replace(" ", "")
        assert ask(table, "What is my dog's name?", BEN)


def test_new_questions_get_places_and_things_not_named_before() -> None:
    for number in range(10):
        table = evening(number)
        said = [ask(table, f"Where did uncle number {count} put the {what}?") for count, what in enumerate(THINGS)]
        whole = "\n".join(said).casefold()
        assert max(whole.count(place.casefold()) for place in WHERE if "{" not in place) == 1


def test_who_is_answered_with_somebody_in_the_room_mostly() -> None:
    said = [answer(Table((ANNA, BEN, CLEO), None, sid).says(ANNA, "Who stole the spoons?")) for sid in EVENINGS]
    assert sum(any(name in text.upper() for name in ("ANNA", "BEN", "CLEO")) for text in said) > 15


def test_it_quotes_words_and_names_from_earlier() -> None:
    table = evening()
    ask(table, "We found a harmonium in the attic, and Ludovica played it.")
    said = " ".join(ask(table, f"I wonder about number {number} on this street", BEN) for number in range(60))
    assert "harmonium" in said
    assert "Ludovica" in said


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("what is 17 + 25?", "42"),
        ("12 x 12", "144"),
        ("spell raven", "R A V E N"),
        ("count to 3", "1 2 3."),
        ("count down from 3", "3 2 1."),
        ("who am i?", "ANNA"),
        ("goodbye", "GOODBYE"),
        ("ok we have to go", "GOODBYE"),
        ("Spirit, close the board", "GOODBYE"),
        ("My name is Philippa", "Philippa"),
        ("gehst du bald? auf wiedersehen", "LEB WOHL"),
        ("さようなら", "さようなら"),
    ],
)
def test_what_is_asked_plainly_is_answered_plainly(said: str, expected: str) -> None:
    assert expected.casefold() in answer(evening().says(ANNA, said)).casefold().replace("a n n a", "anna")


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("tea or coffee?", {"TEA", "COFFEE"}),
        ("should we stay or should we go?", {"STAY", "GO"}),
        ("flip a coin", {"HEADS", "TAILS"}),
    ],
)
def test_a_choice_names_one_of_what_was_offered(question: str, options: set[str]) -> None:
    chosen = {
        option
        for sid in EVENINGS
        for option in options
        if re.search(rf"\b{option}\b", answer(Table((ANNA, BEN), None, sid).says(ANNA, question)))
    }
    assert chosen == options


@pytest.mark.parametrize(
    ("question", "verdicts"),
    [
        ("Wird es morgen regnen?", {"JA", "NEIN", "VIELLEICHT"}),
        ("est-ce que tu es là ?", {"OUI", "NON", "PEUT-ÊTRE"}),
        ("明日は雨ですか", {"はい", "いいえ", "たぶん"}),
        ("завтра будет дождь?", {"ДА", "НЕТ", "МОЖЕТ БЫТЬ"}),
        ("завтра дощ іде?", {"ТАК", "НІ", "МОЖЛИВО"}),
        ("გესმის?", {"YES", "NO", "PERHAPS"}),
    ],
)
def test_a_question_in_another_tongue_gets_its_verdict_in_it(question: str, verdicts: set[str]) -> None:
    said = {answer(Table((ANNA, BEN), None, sid).says(ANNA, question)).split(". ")[0] for sid in EVENINGS}
    assert said == verdicts


@pytest.mark.parametrize("question", ["Wer bist du?", "où est la clé ?", "あなたは誰ですか", "где кольцо?"])
def test_who_and_where_in_another_tongue_get_no_yes_or_no(question: str) -> None:
    verdicts = {"JA", "NEIN", "OUI", "NON", "はい", "いいえ", "たぶん", "ДА", "НЕТ", "VIELLEICHT", "PEUT-ÊTRE"}
    said = {answer(Table((ANNA, BEN), None, sid).says(ANNA, question)).split(".")[0] for sid in EVENINGS}
    assert not said & verdicts


def test_a_greeting_in_another_tongue_is_returned_in_it() -> None:
    assert answer(evening().says(ANNA, "Guten Abend")) == "Ich bin hier."


def test_shouting_and_talking_at_once_are_noticed() -> None:
    loud, crowd = [], []
    for number in range(20):
        table = evening(number)
        ask(table, "Is it raining?")
        loud.append(answer(table.says(ANNA, "IS IT SNOWING?")))
        table = evening(number)
        ask(table, "Is it raining?")
        for person in (ANNA, BEN, CLEO):
            table.says(person, f"I say it hails on {person.user_name}")
        crowd.append(answer(table.scene()))
    assert sum(bool(re.search("shout|deaf|Softer", text)) for text in loud) > 8
    assert sum(bool(re.search("One at a time|at once|Too many", text)) for text in crowd) > 8


@pytest.mark.parametrize(("said", "low", "high"), [("roll a d20", 1, 20), ("roll a die", 1, 6), ("12 minus 5", 7, 7)])
def test_dice_and_sums_stay_within_their_rules(said: str, low: int, high: int) -> None:
    for sid in EVENINGS:
        found = re.findall(r"\d+", answer(Table((ANNA, BEN), None, sid).says(ANNA, said)))
        assert low <= int(found[0]) <= high


def test_a_number_between_two_lies_between_them() -> None:
    for sid in EVENINGS:
        said = answer(Table((ANNA, BEN), None, sid).says(ANNA, "pick a number between 20 and 5"))
        assert 5 <= int(re.findall(r"\d+", said)[0]) <= 20


def test_a_newcomer_is_greeted_by_name() -> None:
    table = evening()
    for text in ("Is anybody there?", "Who are you?", "How old are you?", "When did you die?", "Are you cold?"):
        ask(table, text)
    assert "Cleo" in ask(table, "hi everyone", CLEO)


def test_a_long_silence_is_noticed() -> None:
    table = evening()
    ask(table, "The lamp went out.")
    said = answer(table.says(ANNA, "The lamp is lit now.", after=timedelta(minutes=25)))
    assert re.search(r"gone|silence|back again|waited", said, re.IGNORECASE)


def test_an_insult_turns_the_mood_and_an_apology_turns_it_back() -> None:
    def bare(number: int, *before: str) -> str:
        table = evening(number)
        for text in before:
            table.says(ANNA, text)
            table.spirit_says("…")
        return answer(table.says(ANNA, "It rains on the slates."))

    hurt = [bare(number, "you are a stupid ghost") != bare(number, "we are at table") for number in range(20)]
    assert sum(hurt) > 5


def test_despair_is_met_without_play() -> None:
    for sid in EVENINGS:
        said = answer(Table((ANNA, BEN), None, sid).says(ANNA, "honestly I want to die"))
        assert re.search(r"talk|helpline|call someone|ask a person", said.casefold())


def test_a_hundred_questions_in_a_row_do_not_repeat_noticeably() -> None:
    people = (ANNA, BEN, CLEO)
    for number in range(3):
        table = evening(number)
        said = [ask(table, text, people[index % 3]) for index, text in enumerate(QUESTIONS)]
        counts = Counter(text for text in said if len(text.split()) > 2)
        assert max(counts.values()) <= 2
        assert sum(count - 1 for count in counts.values()) <= 3
        lengths = sorted(len(text.split()) for text in said)
        assert lengths[-1] <= 20
        assert lengths[len(lengths) // 2] <= 9


@given(st.text(max_size=MESSAGE_CHARS), st.text(min_size=1, max_size=32))
def test_any_text_in_any_script_gets_a_short_answer(text: str, name: str) -> None:
    person = Participant(UserId("u"), name)
    said = answer(Table((person, BEN)).says(person, text))
    assert 0 < len(said) <= ANSWER_CHARS
    assert said == said.strip()
    assert "{" not in said.replace(name, "")
    said.encode()


@pytest.mark.parametrize("text", ["{asker}", "{0.__class__}", "%s", "{", "}}", "is {word} here?"])
def test_braces_that_people_type_stay_what_they_are(text: str) -> None:
    person = Participant(UserId("u"), text)
    assert answer(Table((person, BEN)).says(person, text))


def test_an_empty_room_and_a_summons_without_words_are_answered() -> None:
    assert answer(Table(()).scene())
    table = evening()
    table.says(ANNA, "Hello.")
    assert answer(table.spirit_says("Good evening."))


@pytest.mark.parametrize("char", ["you ", "ha", "a", "or ", "?", "\u0301", "👻", "1 + "])
def test_an_evening_of_long_texts_takes_no_square_of_its_length(char: str) -> None:
    """A few milliseconds; a pattern that backtracks would take minutes, and hold everybody's messages up."""
    table = evening()
    for _ in range(100):
        table.says(ANNA, char * (MESSAGE_CHARS // len(char)))
    began = time.process_time()
    answer(table.scene())
    assert time.process_time() - began < 2.0


def test_every_kind_can_speak_with_nothing_known_but_the_asker() -> None:
    lines = {**TALK, **ASKED, **OWN, **GAMES}
    without = {"verdict", "other", "quiet", "word", "sayer", "absent", "manner", "topic", "topic_cap", "dots", "face"}
    for kind in Kind:
        if kind in {Kind.YES_NO, Kind.FOREIGN}:
            continue
        plain = [line for line in lines[kind] if line.mood is None and not line.slots & (without | {"asker"})]
        asked = [line for line in lines[kind] if line.mood is None and not line.slots & without]
        assert plain or (asked and kind is not Kind.SUMMONED), kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hello?", Kind.GREETING),
        ("Is anybody there?", Kind.PRESENCE),
        ("Spirit", Kind.CALLED),
        ("Spirit, are you there?", Kind.PRESENCE),
        ("are you there spirit?", Kind.PRESENCE),
        ("Are you a ghost?", Kind.OWN_NATURE),
        ("are you evil", Kind.OWN_NATURE),
        ("who's there?", Kind.OWN_NAME),
        ("where are you?", Kind.OWN_PLACE),
        ("do you love me?", Kind.YES_NO),
        ("My favourite colour is green", Kind.SAID),
        ("Ben is pushing the glass", Kind.DOUBT),
        ("We have to go home.", Kind.FAREWELL),
        ("How did you die?", Kind.OWN_DEATH),
        ("what do you want from us", Kind.OWN_WISH),
        ("When will I die?", Kind.THEIR_END),
        ("When will the train come?", Kind.WHEN),
        ("how many cats", Kind.HOW_MANY),
        ("Where's my hat? where is it?", Kind.WHERE),
        ("Why?", Kind.WHY),
        ("Will I pass the exam?", Kind.YES_NO),
        ("this is such a fake", Kind.DOUBT),
        ("Am I stupid?", Kind.YES_NO),
        ("you're an idiot", Kind.INSULT),
        ("hahaha", Kind.LAUGHTER),
        ("my cat Pickle died last week", Kind.LOSS),
        ("we lost our grandmother in May", Kind.LOSS),
        ("Is my brother dead?", Kind.YES_NO),
        ("to whom?", Kind.WHO),
        ("don't be rude to it!", Kind.ORDER),
        ("don't you like me?", Kind.YES_NO),
        ("one last question. will we see you again?", Kind.YES_NO),
        ("see you tomorrow", Kind.FAREWELL),
        ("tell us about the bakery", Kind.WHAT),
        ("what was my sister called?", Kind.NAME_OF),
        ("…", Kind.WORDLESS),
        ("👻", Kind.WORDLESS),
        ("Wird es morgen regnen?", Kind.FOREIGN),
        ("qui est là ?", Kind.FOREIGN),
        ("ты здесь?", Kind.FOREIGN),
        ("the meeting is at noon", Kind.SAID),
    ],
)
def test_a_question_is_read_as_what_it_is(text: str, kind: Kind) -> None:
    assert read(text, "Spirit").kind is kind


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩‍👩‍👧👍🏽", ["👩‍👩‍👧", "👍🏽"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("हाँ", ["हाँ"]),
    ],
)
def test_letters_stay_whole(text: str, letters: list[str]) -> None:
    assert list(graphemes(text)) == letters


@given(st.text())
def test_letters_joined_are_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text
    assert all(graphemes(text))


def _questions() -> list[str]:
    asked = """will|is|does|should|can|who|where|when|why|how|what|how many"""
    subject = (
        """the lamp/the letter/my brother/our house/the winter/that song/the old piano/the blue door/my exam/the boat"""
    )
    verb = """burn/return/matter/forgive me/end/open/get lost/come home"""
    parts = [part.split("/") for part in (asked.replace("|", "/"), subject, verb)]
    dice = random.Random(7)
    return [f"{dice.choice(parts[0])} {dice.choice(parts[1])} {dice.choice(parts[2])}?" for _ in range(100)]


QUESTIONS = _questions()

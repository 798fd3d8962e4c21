"""The pieces that phrases are filled with; what is not known is left out, and so is every phrase that needs it."""

import unicodedata
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Final

from server.spirit.ouija.chance import Chance
from server.spirit.ouija.evening import Evening
from server.spirit.ouija.phrases.asked import MONTHS, SPANS, WHAT, WHEN, WHERE
from server.spirit.ouija.phrases.lives import Life
from server.spirit.ouija.words import folded, meaningful

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH: Final = ("third", "fourth", "fifth", "seventh", "ninth", "eleventh", "twelfth", "nineteenth", "twenty-third")
_NUMBERS: Final = (*range(2, 14), *range(2, 14), 17, 19, 21, 23, 31, 41, 47, 77, 99, 113)


def spelled(word: str) -> str:
    """Return a word as the planchette shows it: capitals, one by one."""
    return " ".join(char for char in word.upper() if not char.isspace())


def slots_of(
    life: Life, own_name: str, persona: str, evening: Evening, fate: Chance, wording: Chance
) -> dict[str, str]:
    """Return every slot that is known; `fate` decides facts, `wording` only how they are put."""
    return {
        **_life(life, own_name),
        **_trade(life, persona),
        **_room(evening, wording),
        **_memory(evening, wording),
        **_fate(evening, life, fate),
        **_persona(persona, fate),
    }


def _life(life: Life, own_name: str) -> dict[str, str]:
    return {
        "self": own_name,
        "spelled": spelled(own_name),
        "year": str(life.year),
        "age": str(life.age),
        "place": life.place,
        "place_cap": _capital(life.place),
        "cause": life.cause,
        "kin": life.kin,
        "thing": life.thing,
        "wish": life.wish,
    }


def _room(evening: Evening, wording: Chance) -> dict[str, str]:
    """Return the people: who asked, someone else, someone who has not spoken."""
    count = len(evening.others) + (evening.asker is not None)
    slots = {"count": str(count), "count_more": str(count + 1)}
    if evening.asker:
        slots |= {"asker": evening.asker, "asker_caps": evening.asker.upper(), "asker_spelled": spelled(evening.asker)}
    if evening.others:
        slots["other"] = wording.pick(evening.others)
    if silent := [name for name in evening.quiet if name != evening.asker]:
        slots["quiet"] = wording.pick(silent)
    return slots


def _memory(evening: Evening, wording: Chance) -> dict[str, str]:
    """Return words and names of the evening that fit no better than by chance."""
    slots: dict[str, str] = {}
    if topic := evening.reading.topic:
        slots |= {"topic": topic, "topic_cap": _capital(topic)}
    if any(unicodedata.category(char) == "So" for char in evening.reading.text):
        slots["face"] = ""
    if "." in evening.reading.text:
        slots["dots"] = ""
    names = {folded(name) for name in evening.absent}
    if words := [pair for pair in evening.words if pair[0] not in evening.reading.text and pair[0] not in names]:
        # The longer of two: it tends to be the one that meant something.
        slots["word"], slots["sayer"] = max(wording.pick(words), wording.pick(words), key=lambda pair: len(pair[0]))
    if evening.absent:
        slots["absent"] = wording.pick(evening.absent)
    if name := evening.called.get(evening.reading.parts.get("whose", "")):
        slots |= {"namesake": name.upper(), "namesake_spelled": spelled(name)}
    if told := evening.reading.parts.get("name"):
        slots |= {"told": told.title(), "told_initial": told[0].upper()}
    return slots


def _fate(evening: Evening, life: Life, fate: Chance) -> dict[str, str]:
    """Return the facts the spirit makes up, equal for equal questions."""
    small = {
        "n": str(fate.between(2, 13)),
        "nth": fate.pick(_NTH),
        "month": fate.pick(MONTHS),
        "letter": fate.pick(ascii_uppercase),
    }
    names = [name for name in _names(evening) if folded(name) not in evening.reading.text] or _names(evening)
    picked = fate.pick((*names, *names, life.kin))
    what = _fresh(WHAT, evening, fate)
    return small | {
        "pick": picked.upper(),
        "initial": picked[0].upper(),
        "number": str(fate.pick(_NUMBERS)),
        "weekday": fate.pick(_WEEKDAYS),
        "clock": f"{fate.between(1, 12)}:{fate.between(0, 59):02}",
        "side": fate.pick(("HEADS", "TAILS")),
        "when": _filled(fate.pick(WHEN), small),
        "where": _filled(_fresh(WHERE, evening, fate), small),
        "span": _filled(fate.pick(SPANS), small),
        "what": what,
        "what_low": what[0].lower() + what[1:],
    }


def _fresh(options: Sequence[str], evening: Evening, fate: Chance) -> str:
    """Return what fate has for a question; for a new one nothing that was said tonight, if anything else is left."""
    unheard = [option for option in options if option.casefold() not in evening.heard]
    return fate.pick(options if evening.asked_before else unheard or options)


def _names(evening: Evening) -> Sequence[str]:
    return tuple(name for name in (*evening.others, evening.asker) if name)


def _trade(life: Life, persona: str) -> dict[str, str]:
    """Return what it did for a living, unless a persona says what it is."""
    if persona:
        return {}
    return {"trade": life.trade, "trade_cap": _capital(life.trade), "sex": "woman" if life.woman else "man"}


def _persona(persona: str, fate: Chance) -> dict[str, str]:
    words = meaningful(persona)
    return {"manner": fate.pick(words)} if words else {}


def _filled(text: str, slots: Mapping[str, str]) -> str:
    return text.format_map(slots)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]

"""What the planchette spells: a pure answer to a scene."""

import re
from typing import Final

from server.core.ports import Scene
from server.domain import SpiritSettings
from server.spirit.ouija.chance import Chance
from server.spirit.ouija.choice import choose
from server.spirit.ouija.evening import Evening, remember
from server.spirit.ouija.games import play
from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.lines import Line
from server.spirit.ouija.mood import Mood, mood_at
from server.spirit.ouija.phrases.asked import ASKED
from server.spirit.ouija.phrases.games import GAMES, NOTICES
from server.spirit.ouija.phrases.lives import LIVES, Life
from server.spirit.ouija.phrases.own import OWN
from server.spirit.ouija.phrases.talk import TALK
from server.spirit.ouija.phrases.verdicts import AFTER_NO, AFTER_PERHAPS, AFTER_YES, AGAIN, NO, PERHAPS, YES
from server.spirit.ouija.slots import slots_of
from server.spirit.ouija.tongues import Tongue
from server.spirit.ouija.words import meaningful

ANSWER_CHARS: Final = 200
_WORDS_WITH_NOTICE: Final = 16
_LINES: Final[dict[Kind, tuple[Line, ...]]] = {**TALK, **ASKED, **OWN, **GAMES}
_VERDICTS: Final = ("YES",) * 8 + ("NO",) * 7 + ("PERHAPS",) * 5
_OPENERS: Final = frozenset({Kind.SAID, Kind.GREETING, Kind.CALLED, Kind.WORDLESS, Kind.SUMMONED, Kind.AGREEMENT})
_UNINTERRUPTED: Final = frozenset({Kind.DESPAIR, Kind.FAREWELL, Kind.INSULT, Kind.STORY, Kind.COUNT, Kind.SPELL})
_TOPICS: Final = tuple(
    (topic, re.compile(rf"\b({words})\b"))
    for topic, words in (
        ("love", r"love\w*|marry|marri\w+|boyfriend|girlfriend|crush|kiss|wedding|wife|husband|date|romance|heart"),
        ("money", r"money|rich|lottery|win|pay|salary|debts?|million\w*|gold|bitcoin|buy|sell"),
        ("work", r"job|work|boss|exams?|promot\w+|interview|career|deploy\w*|release|code|office|school|test|project"),
    )
)
_UNNAMED: Final = SpiritSettings().name


def answer(scene: Scene) -> str:
    """Return what the spirit says to a scene: never empty, the same for the same scene."""
    said = " ".join(_Sitting(scene).answer().split())
    return said[:ANSWER_CHARS].encode("utf-8", "replace").decode()


class _Sitting:
    """One answer in the making: the evening, the mood, and two kinds of chance."""

    def __init__(self, scene: Scene) -> None:
        session, spirit = scene.session, scene.session.spirit
        self.evening: Evening = remember(scene)
        self.reading = self.evening.reading
        self.life: Life = life_of(session.id, spirit.persona)
        self.fate = Chance("fate", session.id, self.reading.key)
        last = scene.messages[-1] if scene.messages else None
        self.wording = Chance("wording", session.id, last.id if last else "", last.text if last else "")
        self.mood: Mood = mood_at(
            session.id,
            last.seq if last else 0,
            spirit.persona,
            hurt=self.evening.hurt,
            soothed=self.evening.soothed,
        )
        own_name = self.life.name if spirit.name == _UNNAMED else spirit.name
        self.slots = slots_of(self.life, own_name, spirit.persona, self.evening, self.fate, self.wording)

    def answer(self) -> str:
        """Return the answer with at most one remark on what the spirit noticed."""
        kind, notices = self.reading.kind, self.evening.notices
        if kind in _UNINTERRUPTED or kind is Kind.FOREIGN:
            return self.main()
        for notice in ("newcomer", "gap", "first"):
            if notice in notices and kind in _OPENERS:
                return self.say(NOTICES[notice])
        main = self.main()
        remark = self.remark()
        whole = f"{_ended(main)} {remark}" if remark else main
        return whole if len(whole.split()) <= _WORDS_WITH_NOTICE else main

    def main(self) -> str:
        """Return the answer proper."""
        kind = self.reading.kind
        if kind is Kind.YES_NO:
            return self.verdict()
        if kind is Kind.STORY:
            return self.story()
        if kind is Kind.FOREIGN and self.reading.tongue:
            return self.foreign(self.reading.tongue)
        self.slots |= play(self.reading, self.wording, self.fate)
        if "namesake" in self.slots:
            return self.say(tuple(line for line in _LINES[kind] if any("namesake" in slot for slot in line.slots)))
        return self.say(_LINES[kind])

    def verdict(self) -> str:
        """Return yes, no or perhaps, the same for the same question all evening, with or without a tail."""
        verdict = self.fate.pick(_VERDICTS)
        if self.evening.asked_before:
            self.slots["verdict"] = verdict
            return self.say(AGAIN)
        leads, tails = {"YES": (YES, AFTER_YES), "NO": (NO, AFTER_NO)}.get(verdict, (PERHAPS, AFTER_PERHAPS))
        lead = self.wording.pick(leads)
        if self.wording.once_in(5):
            return lead
        for topic, pattern in _TOPICS:
            if pattern.search(self.reading.text) and self.wording.once_in(2):
                return f"{_ended(lead)} {self.say(NOTICES[topic])}"
        return f"{_ended(lead)} {self.say(tails)}"

    def story(self) -> str:
        """Return the next line of the spirit's life that it has not told yet."""
        for line in self.life.story:
            if line.casefold() not in self.evening.heard:
                return line
        return self.say(OWN[Kind.STORY])

    def foreign(self, tongue: Tongue) -> str:
        """Return an answer in the tongue that was spoken."""
        text = self.reading.text
        yes, no, perhaps, goodbye = tongue.board
        if tongue.takes_leave(text):
            return goodbye
        if tongue.greets(text):
            return tongue.here
        fresh = [line for line in tongue.said if line.casefold() not in self.evening.heard]
        line = self.wording.pick(fresh or tongue.said)
        if not tongue.wants_verdict(text):
            return line
        verdict = {"YES": yes, "NO": no}.get(self.fate.pick(_VERDICTS), perhaps)
        return f"{verdict}. {line}" if self.wording.once_in(2) else verdict

    def remark(self) -> str:
        """Return what the spirit noticed beside the question, mostly nothing."""
        for notice in self.evening.notices:
            if notice == "again" and self.reading.kind is Kind.YES_NO:
                continue
            if notice != "first" and not self.wording.once_in(3):
                return self.say(NOTICES[notice])
        if self.wording.once_in(10) and {"word", "absent"} <= self.slots.keys():
            return self.say(NOTICES["recall"])
        if self.wording.once_in(9) and "quiet" in self.slots:
            return self.say(NOTICES["quiet"])
        return ""

    def say(self, lines: tuple[Line, ...]) -> str:
        """Return one of the phrases, filled."""
        stirred = self.evening.hurt or self.evening.soothed
        return choose(lines, self.slots, self.mood, self.evening.heard, self.wording, is_stirred=stirred)


def life_of(session_id: str, persona: str) -> Life:
    """Return the life of a session's spirit: the one that shares most words with its persona, else by chance."""
    told = set(meaningful(persona))
    shared = [
        len(told & set(meaningful(f"{life.trade} {life.place} {life.thing} {' '.join(life.story)}"))) for life in LIVES
    ]
    fitting = [life for life, count in zip(LIVES, shared, strict=True) if count == max(shared)]
    return Chance("life", session_id).pick(fitting)


def _ended(text: str) -> str:
    return text if text[-1] in ".!?…" else f"{text}."

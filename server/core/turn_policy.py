"""When the spirit speaks and what becomes of messages meanwhile: pure rules, one table."""

import re
from collections.abc import Iterable
from enum import Enum, auto

from server.domain import Answers, Message, Overlap, SpiritSettings


class Phase(Enum):
    """Where a session's turn stands."""

    IDLE = auto()
    THINKING = auto()
    SPEAKING = auto()


class Verdict(Enum):
    """What a human message means to the turn."""

    IGNORE = auto()
    BEGIN = auto()
    JOIN = auto()  # it becomes part of the prompt of the turn that has said nothing yet
    LATER = auto()  # a turn after this one answers it
    INTERRUPT = auto()  # the turn ends here, the next one answers


_WHILE_THINKING = {
    Overlap.MERGE: Verdict.JOIN,
    Overlap.QUEUE: Verdict.LATER,
    Overlap.INTERRUPT: Verdict.JOIN,
    Overlap.DROP: Verdict.IGNORE,
}
_WHILE_SPEAKING = {
    Overlap.MERGE: Verdict.LATER,
    Overlap.QUEUE: Verdict.LATER,
    Overlap.INTERRUPT: Verdict.INTERRUPT,
    Overlap.DROP: Verdict.IGNORE,
}


def verdict(spirit: SpiritSettings, phase: Phase, message: Message) -> Verdict:
    """Return what a message means to a turn in this phase."""
    if not wakes(spirit, message):
        return Verdict.IGNORE
    if phase is Phase.THINKING:
        return _WHILE_THINKING[spirit.overlap]
    if phase is Phase.SPEAKING:
        return _WHILE_SPEAKING[spirit.overlap]
    return Verdict.BEGIN


def wakes(spirit: SpiritSettings, message: Message) -> bool:
    """Tell whether a message is one that the spirit answers; never its own."""
    if message.is_spirit:
        return False
    if spirit.answers is Answers.MENTION:
        return mentions(spirit.name, message.text)
    return spirit.answers is Answers.EVERY


def mentions(name: str, text: str) -> bool:
    """Tell whether a text has the name as a word of its own, with or without @, in any case."""
    pattern = rf"(?<!\w)@?{re.escape(name.casefold())}(?!\w)"
    return re.search(pattern, text.casefold()) is not None


def woken_by(spirit: SpiritSettings, newer: Iterable[Message]) -> Message | None:
    """Return the last message that the next turn answers, given what is not answered yet; None: nobody waits."""
    waking = [message for message in newer if wakes(spirit, message)]
    if not waking:
        return None
    return waking[0] if spirit.overlap is Overlap.QUEUE else waking[-1]

"""What the spirit remembers of an evening: who is there, who spoke, what it said itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from server.core.ports import Scene
from server.domain import Message
from server.spirit.ouija.board import READ_CHARS, Reading, read
from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.words import called_in, folded, key_of, meaningful, names_in

_GAP: Final = timedelta(minutes=10)
_CROWD: Final = 3
_UNDER_WAY: Final = 5
_WEIGHED: Final = 5
_LOUD_CHARS: Final = 6
_REMEMBERED: Final = 120
_MOOD_MEMORY: Final = 2


@dataclass(frozen=True, slots=True)
class Evening:
    """One scene as the spirit takes it in.

    `heard` is what it said so far, folded, oldest first; `called` are the names people gave, by what bears them.
    """

    reading: Reading
    asker: str | None
    others: tuple[str, ...]
    quiet: tuple[str, ...]
    words: tuple[tuple[str, str], ...]
    absent: tuple[str, ...]
    called: Mapping[str, str]
    heard: str
    notices: tuple[str, ...]
    asked_before: bool
    hurt: bool
    soothed: bool


def remember(scene: Scene) -> Evening:
    """Return what the spirit draws on for one answer."""
    spirit = scene.session.spirit.name
    people = [message for message in scene.messages if not message.is_spirit]
    waking = _waking(scene.messages)
    asked = _question(waking, spirit)
    earlier = [message for message in people if asked is None or message.seq < asked.seq][-_REMEMBERED:]
    reading = read(asked.text, spirit) if asked else Reading(Kind.SUMMONED, "", "", None)
    asker = asked.user_name if asked else None
    spoke = {message.user_id for message in people}
    kinds = {read(message.text, spirit).kind for message in earlier[-_MOOD_MEMORY:]}
    asked_before = asked is not None and any(_asks(message, reading, spirit) for message in earlier)
    return Evening(
        reading=reading,
        asker=asker,
        others=tuple(person.user_name for person in scene.people if person.user_name != asker),
        quiet=tuple(person.user_name for person in scene.people if person.user_id not in spoke),
        words=_words(earlier, scene),
        absent=_absent(earlier, scene),
        called={what: name for message in earlier for what, name in called_in(_listened(message))},
        heard="\n".join(folded(_listened(message)) for message in scene.messages if message.is_spirit),
        notices=tuple(_notices(scene, asked, earlier, waking, asked_before)),
        asked_before=asked_before,
        hurt=Kind.INSULT in kinds,
        soothed=bool(kinds & {Kind.THANKS, Kind.APOLOGY}) and Kind.INSULT not in kinds,
    )


def _asks(message: Message, reading: Reading, spirit: str) -> bool:
    """Tell whether a message asks the same; words are compared first, which costs less than reading."""
    plain = folded(_listened(message))
    if (reading.topic or reading.text) not in plain or not key_of(plain).endswith(reading.key):
        return False
    earlier = read(message.text, spirit)
    return (earlier.key, earlier.kind) == (reading.key, reading.kind)


def _listened(message: Message) -> str:
    """Return the end of a message, which is all that the spirit listens to."""
    return message.text[-READ_CHARS:]


def _waking(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return what people said since the spirit last spoke, oldest first."""
    return tuple(reversed(tuple(takewhile(lambda message: not message.is_spirit, reversed(messages)))))


def _question(waking: Sequence[Message], spirit: str) -> Message | None:
    """Return the message to answer: the newest that asks or takes leave, else the newest."""
    for message in reversed(waking[-_WEIGHED:]):
        if "?" in _listened(message) or read(message.text, spirit).kind in {Kind.FAREWELL, Kind.DESPAIR}:
            return message
    return waking[-1] if waking else None


def _words(earlier: Sequence[Message], scene: Scene) -> tuple[tuple[str, str], ...]:
    """Return the words worth quoting with who said them; names of those in the room are none."""
    names = {part for person in scene.people for part in folded(person.user_name).split()}
    said = ((word, message.user_name) for message in earlier for word in meaningful(_listened(message)))
    return tuple((word, sayer) for word, sayer in said if word not in names)


def _absent(earlier: Sequence[Message], scene: Scene) -> tuple[str, ...]:
    known = {folded(person.user_name) for person in scene.people} | {folded(message.user_name) for message in earlier}
    known.add(folded(scene.session.spirit.name))
    return tuple(name for message in earlier for name in names_in(_listened(message)) if folded(name) not in known)


def _moment(message: Message) -> datetime:
    return datetime.fromisoformat(message.timestamp)


def _notices(
    scene: Scene, asked: Message | None, earlier: Sequence[Message], waking: Sequence[Message], asked_before: bool
) -> list[str]:
    """Return what is worth a remark, the most striking first."""
    found: list[str] = []
    if asked is None:
        return found
    began = bool(scene.messages) and scene.messages[0].seq == 1
    if began and len(earlier) >= _UNDER_WAY and all(message.user_id != asked.user_id for message in earlier):
        found.append("newcomer")
    if earlier and _moment(asked) - _moment(earlier[-1]) > _GAP:
        found.append("gap")
    if began and not any(message.is_spirit for message in scene.messages):
        found.append("first")
    if len({message.user_id for message in waking}) >= _CROWD:
        found.append("crowd")
    if asked_before:
        found.append("again")
    if len(asked.text) > _LOUD_CHARS and asked.text.isupper():
        found.append("shouting")
    return found

"""Small games on the board: dice, coins, sums, counting, spelling."""

from collections.abc import Mapping
from typing import Final

from server.spirit.ouija.board import Reading
from server.spirit.ouija.chance import Chance
from server.spirit.ouija.kinds import Kind
from server.spirit.ouija.slots import spelled

_COUNTED: Final = 13
_DIE_SIDES: Final = 6
_PLUS: Final = frozenset({"+", "plus"})
_MINUS: Final = frozenset({"-", "\u2212", "minus"})


def play(reading: Reading, wording: Chance, fate: Chance) -> Mapping[str, str]:
    """Return the slots a game fills; nothing for what is no game."""
    parts = reading.parts
    match reading.kind:
        case Kind.BETWEEN:
            low, high = sorted((int(parts["low"]), int(parts["high"])))
            slots = {"number": str(wording.between(low, high))}
        case Kind.NUMBER:
            slots = {"number": str(wording.between(1, 99))}
        case Kind.DIE:
            slots = {"rolled": str(wording.between(1, max(1, int(parts.get("sides", _DIE_SIDES)))))}
        case Kind.COIN:
            slots = {"side": wording.pick(("HEADS", "TAILS"))}
        case Kind.SUM:
            slots = {"sum": str(_sum(parts["sign"], int(parts["left"]), int(parts["right"])))}
        case Kind.SPELL:
            slots = {"spelt": spelled(parts["word"])}
        case Kind.COUNT:
            slots = {"counted": _counted(parts, fate)}
        case Kind.EITHER:
            slots = {"choice": _choice(parts, fate)}
        case _:
            slots = {}
    return slots


def _sum(sign: str, left: int, right: int) -> int:
    if sign in _PLUS:
        return left + right
    return left - right if sign in _MINUS else left * right


def _counted(parts: Mapping[str, str], fate: Chance) -> str:
    to = int(parts["to"]) if parts["to"].isdecimal() else fate.between(3, _COUNTED)
    if not 1 <= to <= _COUNTED:
        return "1. 2. 3. You have time for the others, I have not."
    row = range(to, 0, -1) if "down" in parts or parts["to"] == "down" else range(1, to + 1)
    tail = fate.pick(("Now look.", "And one that I leave out.", "And the one on the stairs.", "Open your eyes."))
    return f"{' '.join(map(str, row))}. {tail}"


def _choice(parts: Mapping[str, str], fate: Chance) -> str:
    first, second = parts["first"].upper(), parts["second"].upper()
    return fate.pick((first, second) if first != second else ("THE FIRST", "THE SECOND"))

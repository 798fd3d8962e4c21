"""What became of a message: pure, and the same for both databases."""

import sqlite3
from collections.abc import Sequence

import asyncpg
import orjson

from server.domain import Message
from server.errors import InternalError, SeanceError, ValidationFailed
from server.protocol.wire import Draft

# The draft itself, which has its number now; the message that an earlier send had stored; or why there is none.
Outcome = Message | SeanceError

# A writer's answer for one draft: the `seq` it got, the message that was stored for it before, or why not.
Written = int | Message | SeanceError


def outcomes_of(drafts: list[Draft], written: Sequence[Written]) -> Sequence[Outcome]:
    """Return what the senders are told, the list of drafts itself if all are stored; gives those their numbers."""
    outcomes: list[Outcome] | None = None
    for place, (draft, answer) in enumerate(zip(drafts, written, strict=True)):
        if isinstance(answer, int):
            draft.seq = answer
        else:
            outcomes = outcomes or list(drafts)
            outcomes[place] = answer
    return outcomes or drafts


def refusal_of(error: Exception) -> SeanceError:
    """Return what the sender of a row that the database refused is told."""
    if isinstance(error, ValueError | orjson.JSONEncodeError | asyncpg.DataError | sqlite3.DataError):
        return ValidationFailed(details={"message": ["The database cannot store this text."]})
    return InternalError()


def without_repeats(drafts: list[Draft]) -> tuple[list[Draft], list[int]]:
    """Return the drafts without later sends of the same message, and for each draft the place of its first send.

    No places if there are none.
    """
    named = [(d.session_id, d.user_id, d.client_message_id) for d in drafts if d.client_message_id is not None]
    if len(set(named)) == len(named):  # as good as always
        return drafts, []
    firsts: list[Draft] = []
    places: list[int] = []
    seen: dict[tuple[str, str, str], int] = {}
    for draft in drafts:
        place = len(firsts)
        if draft.client_message_id is not None:
            place = seen.setdefault((draft.session_id, draft.user_id, draft.client_message_id), place)
        if place == len(firsts):
            firsts.append(draft)
        places.append(place)
    return firsts, places

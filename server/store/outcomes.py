"""What became of a message: pure, and the same for both databases."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

import asyncpg
import orjson

from server.domain import Draft, Message
from server.errors import InternalError, SeanceError, ValidationFailed


@dataclass(slots=True)  # not frozen, for the same reason as the message in it
class Appended:
    """A committed message; `is_new` is False when an earlier send had stored it already."""

    message: Message
    is_new: bool


Outcome = Appended | SeanceError

# A writer's answer for one draft: the `seq` it got, the message that was stored for it before, or why not.
Written = int | Message | SeanceError


def outcome_of(draft: Draft, written: Written) -> Outcome:
    """Return what the sender is told."""
    if isinstance(written, int):
        message = Message(
            draft.id,
            draft.session_id,
            written,
            draft.user_id,
            draft.user_name,
            draft.text,
            draft.timestamp,
            draft.is_spirit,
            draft.client_message_id,
        )
        return Appended(message, is_new=True)
    return Appended(written, is_new=False) if isinstance(written, Message) else written


def refusal_of(error: Exception) -> SeanceError:
    """Return what the sender of a row that the database refused is told."""
    if isinstance(error, ValueError | orjson.JSONEncodeError | asyncpg.DataError | sqlite3.DataError):
        return ValidationFailed(details={"message": ["The database cannot store this text."]})
    return InternalError()


def without_repeats(drafts: Sequence[Draft]) -> tuple[list[Draft], list[int]]:
    """Return the drafts without later sends of the same message, and for each draft the place of its first send."""
    named = [(d.session_id, d.user_id, d.client_message_id) for d in drafts if d.client_message_id is not None]
    if len(set(named)) == len(named):  # as good as always
        return list(drafts), list(range(len(drafts)))
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


def spread(outcomes: list[Outcome], places: list[int]) -> list[Outcome]:
    """Return an outcome for every draft: a later send gets that of the first, as a message already stored."""
    told: set[int] = set()
    spread_out: list[Outcome] = []
    for place in places:
        outcome = outcomes[place]
        if place in told and isinstance(outcome, Appended):
            outcome = replace(outcome, is_new=False)
        told.add(place)
        spread_out.append(outcome)
    return spread_out

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from server.domain import CloseReason, Message, SessionId
from server.errors import Busy, InternalError, SessionClosed, SessionNotFound, ValidationFailed
from server.moments import new_id
from server.protocol.objects import draft_object
from server.store.database import Database
from server.store.log import MessageLog
from server.store.outcomes import without_repeats
from server.store.sessions import Head, SessionStore
from tests.store.making import a_draft, a_session, read_back, send, send_all, seqs, stored_session

if TYPE_CHECKING:
    from server.store.history import History

SURROGATE = "\ud800"


async def test_messages_get_the_places_1_2_3_in_the_order_they_were_sent(
    database: Database, log: MessageLog, history: History
) -> None:
    session = await stored_session(database)
    outcomes = await send_all(log, [a_draft(session, str(i)) for i in range(50)])
    assert seqs(outcomes) == list(range(1, 51))
    assert [message.text for message in await history.after(session.id, 0, 100)] == [str(i) for i in range(50)]


async def test_what_the_sender_hears_is_what_history_tells(
    database: Database, log: MessageLog, history: History
) -> None:
    session = await stored_session(database)
    outcomes = await send_all(log, [a_draft(session, "Ünïcode ☽ 𝄞 \\ \" ' \n\t", key="k"), a_draft(session, "")])
    assert [read_back(outcome) for outcome in outcomes] == await history.after(session.id, 0, 10)


async def test_the_head_moves_with_the_messages(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    await send_all(log, [a_draft(session) for _ in range(3)])
    await send(log, a_draft(session))
    assert await SessionStore(database).heads([session.id]) == {session.id: Head(4)}


async def test_places_are_counted_for_each_session_alone(database: Database, log: MessageLog) -> None:
    rooms = [await stored_session(database) for _ in range(3)]
    outcomes = await send_all(log, [a_draft(rooms[i % 3]) for i in range(12)])
    assert seqs(outcomes) == [i // 3 + 1 for i in range(12)]


async def test_an_unknown_and_an_ended_session_refuse_their_rows_only(database: Database, log: MessageLog) -> None:
    live, over = await stored_session(database), await stored_session(database)
    await SessionStore(database).close(over.id, CloseReason.ENDED)
    unknown = a_session()
    outcomes = await send_all(log, [a_draft(live), a_draft(unknown), a_draft(over), a_draft(live)])
    assert isinstance(outcomes[1], SessionNotFound)
    assert isinstance(outcomes[2], SessionClosed)
    assert seqs([outcomes[0], outcomes[3]]) == [1, 2]


async def test_a_second_send_gets_the_first_message_and_burns_no_place(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    first = await send(log, a_draft(session, "first", key="k"))
    again, other = await send_all(log, [a_draft(session, "again", key="k"), a_draft(session)])
    assert isinstance(again, Message)
    assert (again, again.text) == (read_back(first), "first")
    assert seqs([other]) == [2]


async def test_a_repeat_within_one_batch_is_stored_once(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    told: list[Message] = []
    log.on_commit = told.extend
    drafts = [a_draft(session, str(i), key="k") for i in range(5)] + [a_draft(session)]
    outcomes = await send_all(log, drafts)
    assert seqs(outcomes) == [1, 1, 1, 1, 1, 2]
    assert outcomes[0] is outcomes[4] is drafts[0]
    assert told == [drafts[0], drafts[5]]


async def test_an_acked_message_keeps_its_answer_after_the_session_ended(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    first = await send(log, a_draft(session, key="k"))
    await SessionStore(database).close(session.id, CloseReason.ENDED)
    assert seqs([first, await send(log, a_draft(session, key="k"))]) == [1, 1]


async def test_the_same_id_of_another_person_or_session_is_another_message(database: Database, log: MessageLog) -> None:
    here, there = await stored_session(database), await stored_session(database)
    drafts = [a_draft(here, key="k"), a_draft(here, key="k", user="bob"), a_draft(there, key="k")]
    assert seqs(await send_all(log, drafts)) == [1, 2, 1]


async def test_the_batch_is_told_before_its_senders_and_only_what_is_new(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    heard: list[Any] = []
    log.on_commit = lambda batch: heard.append([message.seq for message in batch])
    for draft in [a_draft(session, key="k"), a_draft(session, key="k"), a_draft(session)]:
        log.append(draft, lambda _: heard.append("done"))
    await log.flush()
    log.append(a_draft(session, key="k"), lambda _: heard.append("done"))
    await log.flush()
    assert heard == [[1, 2], "done", "done", "done", "done"]


async def test_a_callback_that_fails_keeps_nobody_else_from_hearing(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))

    def fail(_: object) -> None:
        raise RuntimeError

    log.on_commit = fail
    log.append(a_draft(session), fail)
    outcome = await send(log, a_draft(session))
    loop.set_exception_handler(None)
    assert seqs([outcome]) == [2]
    assert len(faults) == 2


async def test_text_that_cannot_be_stored_fails_alone(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    drafts = [a_draft(session, str(i)) for i in range(50)]
    for i in (3, 40):  # past whoever would have refused it
        drafts[i].text = SURROGATE
        drafts[i].head = json.dumps(draft_object(drafts[i])).encode()[:-1]
    outcomes = await send_all(log, drafts)
    assert [i for i, outcome in enumerate(outcomes) if isinstance(outcome, ValidationFailed)] == [3, 40]
    assert seqs(outcome for outcome in outcomes if isinstance(outcome, Message)) == list(range(1, 49))


async def test_a_database_without_tables_leaves_no_sender_waiting(database: Database) -> None:
    session = await stored_session(database)
    async with database.writing() as db:
        await db.execute(text("ALTER TABLE messages RENAME TO hidden"))
    log = MessageLog(database)
    assert {type(outcome) for outcome in await send_all(log, [a_draft(session) for _ in range(5)])} == {InternalError}
    async with database.writing() as db:
        await db.execute(text("ALTER TABLE hidden RENAME TO messages"))
    assert seqs([await send(log, a_draft(session))]) == [1]
    await log.aclose()


async def test_short_messages_count_as_what_they_take_in_memory(database: Database) -> None:
    log = MessageLog(database, max_waiting_bytes=8_000)
    session = await stored_session(database)
    waiting = [send(log, a_draft(session)) for _ in range(2)]
    with pytest.raises(Busy):
        log.append(a_draft(session), print)
    assert seqs(await asyncio.gather(*waiting)) == [1, 2]
    assert seqs([await send(log, a_draft(session))]) == [3]
    await log.aclose()


async def test_what_waits_is_bounded_in_bytes(database: Database) -> None:
    log = MessageLog(database, max_waiting_bytes=12_000)
    session = await stored_session(database)
    waiting = send(log, a_draft(session, "x" * 8_000))
    with pytest.raises(Busy):
        log.append(a_draft(session, "x" * 8_000), print)
    await waiting
    assert log.waiting_bytes == 0
    await log.aclose()


async def test_closing_commits_what_waits_and_takes_no_more(database: Database, history: History) -> None:
    log = MessageLog(database)
    session = await stored_session(database)
    waiting = [send(log, a_draft(session)) for _ in range(5)]
    await log.aclose()
    assert all(answer.done() for answer in waiting)
    assert len(await history.after(session.id, 0, 10)) == 5
    with pytest.raises(Busy):
        log.append(a_draft(session), print)


async def test_more_than_a_batch_holds_is_stored_in_several(database: Database, log: MessageLog) -> None:
    session = await stored_session(database)
    assert seqs(await send_all(log, [a_draft(session) for _ in range(2_500)])) == list(range(1, 2_501))
    assert (log.rows_committed, log.batches_committed, log.rows_in_last_batch) == (2_500, 3, 500)


async def test_two_logs_share_one_order(database_url: str, database: Database, history: History) -> None:
    other = await Database.open(database_url)
    logs = [MessageLog(database), MessageLog(other)]
    session = await stored_session(database)
    told: list[int] = []
    for log in logs:
        log.on_commit = lambda batch: told.extend(message.seq for message in batch)
    for _ in range(20):
        await asyncio.gather(*[send(log, a_draft(session)) for log in logs for _ in range(5)])
    assert sorted(told) == list(range(1, 201))
    assert len(await history.after(session.id, 0, 300)) == 200
    for log in logs:
        await log.aclose()
    await other.close()


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([None, "1", "2"]))))
def test_repeats_share_the_outcome_of_the_first_send(sends: list[tuple[str, str | None]]) -> None:
    session = a_session(id=SessionId(new_id()))
    drafts = [a_draft(session, user=user, key=key) for user, key in sends]
    firsts, places = without_repeats(drafts)
    keys = {(draft.user_id, draft.client_message_id) for draft in drafts if draft.client_message_id is not None}
    assert len(firsts) == len(keys) + sum(draft.client_message_id is None for draft in drafts)
    for draft, place in zip(drafts, places or range(len(drafts)), strict=True):
        first = firsts[place]
        assert (first.user_id, first.client_message_id) == (draft.user_id, draft.client_message_id)

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from server.domain import Answers, CloseReason, SessionId, SpiritSettings
from server.errors import SessionClosed, SessionNotFound, ValidationFailed
from server.moments import new_id, now
from server.protocol.commands import ChangeSession, HistoryRange, SpiritChange
from server.store.database import Database
from server.store.sessions import Head, SessionStore
from server.store.tables import metadata
from tests.store.making import a_draft, a_person, a_session, read_back, send, send_all, started_seats, stored_session

if TYPE_CHECKING:
    from server.store.history import History
    from server.store.lines import Rows
    from server.store.log import MessageLog

UNKNOWN = SessionId(new_id())


async def test_what_was_created_is_read_back_equal(sessions: SessionStore) -> None:
    session = a_session(name="Ünïcode ☽", spirit=SpiritSettings(answers=Answers.MENTION, persona="dry"))
    await sessions.create(session)
    assert await sessions.get(session.id) == session


async def test_an_unknown_id_is_none(sessions: SessionStore) -> None:
    assert await sessions.get(UNKNOWN) is None


async def test_pages_list_every_session_once_and_newest_first(sessions: SessionStore) -> None:
    # Three at each moment: the id has to decide among them.
    made = [a_session(created_at=now() - timedelta(seconds=i // 3)) for i in range(11)]
    for session in made:
        await sessions.create(session)
    listed, cursor = await sessions.page(4, None)
    while cursor is not None:
        more, cursor = await sessions.page(4, cursor)
        listed += more
    assert listed == sorted(made, key=lambda session: (session.created_at, session.id), reverse=True)


async def test_a_full_last_page_has_no_next(sessions: SessionStore) -> None:
    for _ in range(2):
        await sessions.create(a_session())
    assert (await sessions.page(2, None))[1] is None


async def test_a_foreign_cursor_names_its_field(sessions: SessionStore) -> None:
    with pytest.raises(ValidationFailed) as caught:
        await sessions.page(2, "not-ours")
    assert list(caught.value.details) == ["cursor"]


async def test_a_change_merges(sessions: SessionStore) -> None:
    session = a_session(spirit=SpiritSettings(persona="dry", debounce_ms=5))
    await sessions.create(session)
    changed = await sessions.change(session.id, ChangeSession(name="New", spirit=SpiritChange(debounce_ms=0)))
    assert changed == replace(session, name="New", spirit=SpiritSettings(persona="dry", debounce_ms=0))
    assert await sessions.get(session.id) == changed


async def test_changes_at_once_all_last(sessions: SessionStore) -> None:
    session = a_session()
    await sessions.create(session)
    changes = [
        ChangeSession(name="New"),
        ChangeSession(max_users=9),
        ChangeSession(spirit=SpiritChange(persona="dry")),
        ChangeSession(spirit=SpiritChange(debounce_ms=7)),
    ]
    await asyncio.gather(*[sessions.change(session.id, change) for change in changes])
    expected = replace(session, name="New", max_users=9, spirit=SpiritSettings(persona="dry", debounce_ms=7))
    assert await sessions.get(session.id) == expected


async def test_what_is_not_there_or_over_cannot_change(sessions: SessionStore) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.change(UNKNOWN, ChangeSession(name="New"))
    session = a_session()
    await sessions.create(session)
    await sessions.close(session.id, CloseReason.ENDED)
    with pytest.raises(SessionClosed):
        await sessions.change(session.id, ChangeSession(name="New"))


async def test_one_of_many_closing_calls_ends_the_session(sessions: SessionStore) -> None:
    session = a_session()
    await sessions.create(session)
    answers = await asyncio.gather(*[sessions.close(session.id, CloseReason.ENDED) for _ in range(8)])
    ended = replace(session, is_active=False, close_reason=CloseReason.ENDED)
    assert [closed for closed, _ in answers] == [ended] * 8
    assert sorted(by_this_call for _, by_this_call in answers) == [False] * 7 + [True]
    assert await sessions.get(session.id) == ended


async def test_closing_the_unknown_is_told(sessions: SessionStore) -> None:
    with pytest.raises(SessionNotFound):
        await sessions.close(UNKNOWN, CloseReason.ENDED)


async def test_heads_are_the_newest_places(sessions: SessionStore, log: MessageLog) -> None:
    quiet, busy = a_session(), a_session()
    await sessions.create(quiet)
    await sessions.create(busy)
    await send_all(log, [a_draft(busy) for _ in range(3)])
    assert await sessions.heads([quiet.id, busy.id, UNKNOWN]) == {quiet.id: Head(0), busy.id: Head(3)}


async def test_heads_of_more_sessions_than_a_statement_has_parameters(sessions: SessionStore) -> None:
    assert await sessions.heads([SessionId(new_id()) for _ in range(40_000)]) == {}


async def test_an_idle_session_expires_in_one_process_only(database_url: str) -> None:
    databases = [await Database.open(database_url) for _ in range(4)]
    made = {(await stored_session(databases[0])).id for _ in range(20)}
    expired = await asyncio.gather(*[SessionStore(database).expire_idle(-1, limit=50) for database in databases])
    found = [session for some in expired for session in some]
    assert {session.id for session in found} == made
    assert len(found) == len(made)
    assert {session.close_reason for session in found} == {CloseReason.EXPIRED}
    for database in databases:
        await database.close()


async def test_a_session_with_a_recent_message_does_not_expire(sessions: SessionStore) -> None:
    await sessions.create(a_session())
    assert await sessions.expire_idle(60, limit=10) == []


async def test_purge_removes_all_that_belongs_to_sessions_long_over(
    database: Database, sessions: SessionStore, log: MessageLog, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.sessions._MESSAGES_PER_PURGE", 10)
    over, open_ = await stored_session(database), await stored_session(database)
    seats = await started_seats(database)
    for session in (over, open_):
        await seats.take(session.id, a_person("Ada"))
        await send_all(log, [a_draft(session) for _ in range(25)])
    await sessions.close(over.id, CloseReason.ENDED)
    assert await sessions.purge(60, limit=10) == 0
    assert await sessions.purge(-1, limit=10) == 1
    assert await sessions.get(over.id) is None
    assert await history.after(over.id, 0, 100) == []
    assert len(await history.after(open_.id, 0, 100)) == 25
    assert await rows_of(database, "users") == await rows_of(database, "seats") == 1


async def rows_of(database: Database, table: str) -> int:
    async with database.reading() as db:
        return int((await db.execute(select(func.count()).select_from(metadata.tables[table]))).scalar_one())


async def test_equal_pages_asked_for_at_once_cost_one_query(
    database: Database, log: MessageLog, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await stored_session(database)
    await send_all(log, [a_draft(session) for _ in range(5)])
    statements: list[str] = []
    ask = database.pages.ask

    async def counted(statement: str, parameter: str) -> Rows:
        statements.append(statement)
        return await ask(statement, parameter)

    monkeypatch.setattr(database.pages, "ask", counted)
    pages = await asyncio.gather(*[history.after(session.id, seq % 2, 10) for seq in range(20)])
    assert [len(page) for page in pages] == [5, 4] * 10
    assert len(statements) == 2


async def test_pages_of_history_are_ascending_and_say_whether_there_is_more(
    database: Database, log: MessageLog, history: History
) -> None:
    session = await stored_session(database)
    sent = [await send(log, a_draft(session, str(i))) for i in range(7)]
    stored = [read_back(outcome) for outcome in sent]
    assert await history.read(session.id, HistoryRange(limit=3)) == (stored[4:], True)
    assert await history.read(session.id, HistoryRange(limit=7)) == (stored, False)
    assert await history.read(session.id, HistoryRange(before_seq=5, limit=3)) == (stored[1:4], True)
    assert await history.read(session.id, HistoryRange(before_seq=4, limit=3)) == (stored[:3], False)
    assert await history.read(session.id, HistoryRange(after_seq=2, limit=3)) == (stored[2:5], True)
    assert await history.read(session.id, HistoryRange(after_seq=2, before_seq=6, limit=3)) == (stored[2:5], False)
    assert await history.after(session.id, 5, 10) == stored[5:]
    assert await history.read(UNKNOWN, HistoryRange()) == ([], False)

"""A process that dies without a word has stored all that it acked."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from server.store.history import History
from tests.store.making import stored_session

if TYPE_CHECKING:
    from server.store.database import Database

SENDER = """
import asyncio, sys
from server.domain import Session, SessionId
from server.store.database import Database
from server.store.log import MessageLog
from server.store.sessions import SessionStore
from tests.store.making import a_draft, send

async def main(url, session_id):
    database = await Database.open(url)
    session = await SessionStore(database).get(SessionId(session_id))
    log = MessageLog(database)

    async def one_after_another():
        while True:
            outcome = await send(log, a_draft(session))
            print(outcome.seq, flush=True)

    await asyncio.gather(*[one_after_another() for _ in range(20)])

asyncio.run(main(*sys.argv[1:]))
"""
ACKS = 500


async def test_what_was_acked_survives_the_death_of_its_process(database: Database, database_url: str) -> None:
    session = await stored_session(database)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, database_url, session.id, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    acked = [int(await process.stdout.readline()) for _ in range(ACKS)]
    process.send_signal(signal.SIGKILL)
    rest, _ = await process.communicate()
    acked += [int(line) for line in rest.splitlines(keepends=True) if line.endswith(b"\n")]
    places = [message.seq for message in await History(database).after(session.id, 0, 100_000)]
    assert places == list(range(1, len(places) + 1))
    assert len(set(acked)) == len(acked)
    assert set(acked) <= set(places)

"""The small things that everything is made of."""

import os
from datetime import UTC, datetime, timedelta, timezone

import pytest

from server.domain import is_session_id, iso, new_id, stamp

TALLINN = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), "2026-01-02T03:04:05.678901Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 600000, UTC), "2026-01-02T03:04:05.600000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 0, UTC), "2026-01-02T03:04:05.000000Z"),
        (datetime(2026, 1, 2, 5, 4, 5, 678901, TALLINN), "2026-01-02T03:04:05.678901Z"),
    ],
)
def test_every_moment_is_written_in_utc_with_microseconds(moment: datetime, written: str) -> None:
    assert iso(moment) == written


def test_the_stamp_is_now_to_the_millisecond() -> None:
    before = iso(datetime.now(UTC))
    told = stamp()
    after = iso(datetime.now(UTC))
    assert before[:-5] <= told[:-5] <= after[:-5]
    assert len(told) == len(before)


def test_ids_are_fresh_and_well_formed() -> None:
    ids = [new_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    assert all(is_session_id(id_) and id_[14] == "4" and id_[19] in "89ab" for id_ in ids)


def test_a_fork_draws_other_ids_than_its_parent() -> None:
    new_id()  # so that some are drawn already
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 36).decode() not in {new_id() for _ in range(300)}
    os.close(reading)
    os.close(writing)

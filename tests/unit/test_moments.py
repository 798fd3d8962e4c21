"""Ids and moments, fresh and as they go over the wire."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest

from server import moments
from server.domain import is_session_id
from server.moments import fresh_message_id, iso, new_id, stamp
from tests.unit.forking import said_by_a_fork

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


def new_message_id() -> str:
    return fresh_message_id()[0]


def test_messages_ids_are_fresh_well_formed_and_ascend() -> None:
    ids = [new_message_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    assert all(is_session_id(id_) and id_[14] == "7" and id_[19] in "89ab" for id_ in ids)
    assert abs(int(ids[-1][:13].replace("-", ""), 16) / 1000 - time.time()) < 5


def stopped(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    monkeypatch.setattr(moments, "time_ns", partial(int, at))
    monkeypatch.setattr(moments, "time", partial(float, at / 1e9))


def test_a_message_s_moment_is_that_of_a_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    for at in (time.time_ns(), 1_700_000_000_000_999_999, 1_700_000_000_001_000_000):
        stopped(monkeypatch, at)
        assert fresh_message_id()[1] == stamp() == f"{iso(datetime.fromtimestamp(at // 10**6 / 1000, UTC))}"


def test_ids_ascend_though_a_millisecond_has_too_many_of_them_or_the_clock_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = [new_message_id()]
    for at in (time.time_ns(), time.time_ns() - 3_000_000_000):
        stopped(monkeypatch, at)
        ids += [new_message_id() for _ in range(5_000)]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("new", [new_id, new_message_id])
def test_a_fork_draws_other_ids_than_its_parent(new: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(monkeypatch, time.time_ns())
    new()  # so that some are drawn already
    assert said_by_a_fork(new) not in {new() for _ in range(300)}

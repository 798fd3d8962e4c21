"""Which channels are wanted and heard, without any Redis."""

from __future__ import annotations

import pytest

from server.cluster.subscriptions import Subscriptions


class Wishes(Subscriptions):
    """Subscriptions that count how often there was something to take."""

    def __init__(self) -> None:
        super().__init__(self._count)
        self.changes = 0

    def _count(self) -> None:
        self.changes += 1


@pytest.fixture
async def wishes() -> Wishes:
    return Wishes()


async def test_a_channel_is_heard_once_it_was_confirmed(wishes: Wishes) -> None:
    heard = wishes.want(b"a")
    assert wishes.take_changes() == ([b"a"], [])
    assert not heard.is_set()
    wishes.confirm(b"a")
    assert heard.is_set()
    assert wishes.want(b"a") is heard
    assert wishes.take_changes() == ([], [])


async def test_changes_are_told_once_until_they_are_taken(wishes: Wishes) -> None:
    wishes.want(b"a")
    wishes.want(b"b")
    wishes.drop(b"a")
    assert wishes.changes == 1
    assert wishes.take_changes() == ([b"b"], [b"a"])
    wishes.drop(b"b")
    assert wishes.changes == 2


async def test_an_old_confirmation_does_not_count_for_a_channel_that_was_dropped_meanwhile(wishes: Wishes) -> None:
    wishes.want(b"a")
    wishes.take_changes()
    wishes.drop(b"a")
    wishes.take_changes()
    heard = wishes.want(b"a")
    wishes.take_changes()
    wishes.confirm(b"a")
    assert not heard.is_set(), "the server has yet to take it away and to add it again"
    wishes.confirm(b"a")
    assert heard.is_set()


async def test_after_the_connection_ended_all_that_is_wanted_is_asked_for_again(wishes: Wishes) -> None:
    heard, _ = wishes.want(b"a"), wishes.want(b"b")
    wishes.take_changes()
    wishes.confirm(b"a")
    wishes.drop(b"b")
    wishes.lose_all()
    assert not heard.is_set()
    assert wishes.changes == 3
    assert wishes.take_changes() == ([b"a"], [])
    wishes.confirm(b"a")
    assert heard.is_set(), "confirmations that the old connection owed are waited for no more"

"""What the load tester says of a server that lies, and of one that does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from server.loadtest.guest import Guest, opening
from server.loadtest.ledger import Meter, Room
from server.loadtest.plan import Plan, Trouble
from server.loadtest.run import load_test
from tests.loadtest import lying

if TYPE_CHECKING:
    from server.loadtest.report import Report


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What never comes is not waited for."""
    monkeypatch.setattr("server.loadtest.run.PATIENCE_SECONDS", 0.3)


async def report_on(lie: str, **wishes: float | bool) -> Report:
    runner, url = await lying.serve_app(lying.LyingServer(lie).app())
    try:
        plan = {"rooms": 2, "people": 3, "seconds": 0.3, "warmup": 0.0, **wishes}
        return await load_test(Plan(url, **plan))  # type: ignore[arg-type]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("how", [{"in_flight": 1}, {"in_flight": 4}, {"rate": 200.0}, {"connect_only": True}], ids=str)
async def test_an_honest_server_has_no_faults(how: dict[str, float | bool]) -> None:
    report = await report_on("", **how)
    assert report.passed, str(report)
    assert report.connected.number == 6
    assert bool(report.meter.acked) is not bool(how.get("connect_only"))


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ("drop", "lost"),
        ("double", "doubled"),
        ("late", "reordered"),
        ("another seq", "contradicted"),
        ("another seq in the ack", "contradicted"),
        ("no ack", "acks_lost"),
        ("two acks", "acks_doubled"),
        ("hang up", "disconnected"),
    ],
)
@pytest.mark.parametrize("how", [{"in_flight": 3}, {"rate": 300.0}], ids=str)
async def test_a_lie_is_found_and_named(lie: str, fault: str, how: dict[str, float]) -> None:
    report = await report_on(lie, **how)
    assert not report.passed
    assert getattr(report.meter.faults, fault) > 0, str(report)
    assert fault.replace("_", " ") in str(report)


async def test_a_last_message_that_is_dropped_is_lost_too() -> None:
    """Nothing comes after it that would show a gap: only the acknowledgement tells that it exists."""
    report = await report_on("drop", rooms=1, people=2, in_flight=1, seconds=0.05)
    assert report.meter.faults.lost > 0


async def test_a_rate_beyond_all_means_ends_and_says_that_the_tester_was_late() -> None:
    report = await report_on("", rate=200_000.0)
    assert report.meter.acked > 0
    assert "sent late itself" in str(report)


async def test_a_server_that_acknowledges_nothing_does_not_pass() -> None:
    report = await report_on("", rate=0.001)
    assert not report.passed
    assert "nothing was checked" in str(report)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://localhost:99999", "http://", "http://:1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Trouble, match="is no address"):
        assert Plan(url).address


async def test_who_is_called_off_while_connecting_leaves_in_peace() -> None:
    class CalledOff(Guest):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            joining.cancel()

    runner, url = await lying.serve_app(lying.LyingServer().app())
    try:
        guest = CalledOff(Room("0", Meter()), opening("localhost", ""), {"session_id": "0"})
        joining = asyncio.create_task(guest.join("127.0.0.1", int(url.rpartition(":")[2]), tls=None, source=None))
        with pytest.raises(asyncio.CancelledError):
            await joining
        guest.leave()
    finally:
        await runner.cleanup()

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from server.protocol import shapes
from server.store.database import Database
from tests.rest.api import MOMENT

if TYPE_CHECKING:
    import pytest

    from tests.rest.api import Api
    from tests.rest.serving import Open


async def plain(api: Api, path: str) -> tuple[int, dict[str, str]]:
    async with api.http.get(f"{api.url}{path}") as answer:
        return answer.status, await answer.json()


async def test_a_healthy_server_says_so_in_the_words_of_the_contract(api_on_both: Api) -> None:
    status, said = await plain(api_on_both, "/health")
    assert status == 200
    assert not shapes.HealthShape().validate(said)
    assert MOMENT.fullmatch(said.pop("timestamp"))
    assert said == {"status": "healthy", "database": "connected", "environment": "test"}
    assert await plain(api_on_both, "/health/live") == (200, {"status": "live"})
    assert await plain(api_on_both, "/health/ready") == (200, {"status": "ready"})


async def test_without_its_database_a_server_is_alive_but_not_ready(
    open_api: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> bool:
        return False

    monkeypatch.setattr(Database, "ping", silent)
    api = await open_api()
    status, said = await plain(api, "/health")
    assert (status, said["status"], said["database"]) == (503, "unhealthy", "disconnected")
    assert (await plain(api, "/health/live"))[0] == 200
    assert (await plain(api, "/health/ready"))[0] == 503


async def test_health_is_asked_without_a_token(closed_api: Api) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        assert (await plain(closed_api, path))[0] == 200


async def test_metrics_count_what_was_committed(api: Api) -> None:
    session_id = await api.session()
    await asyncio.gather(*(api.say(session_id, str(number)) for number in range(5)))
    async with api.http.get(f"{api.url}/metrics") as answer:
        assert answer.status == 200
        assert answer.content_type == "text/plain"
        text = await answer.text()
    assert "seance_messages_committed_total 5.0" in text


async def test_a_request_is_logged_under_its_id_and_a_session_by_the_names_of_old(
    api: Api, logged: list[dict[str, object]]
) -> None:
    session_id = await api.session()
    await api.call("GET", f"/api/sessions/{session_id}", headers={"X-Request-ID": "r-1"})
    await api.call("GET", "/api/sessions/missing", headers={"X-Request-ID": "r-2"})
    told = {(entry["event"], entry.get("session_id"), entry["log_level"], entry.get("request_id")) for entry in logged}
    assert ("session.retrieved", session_id, "info", "r-1") in told
    assert ("session.not_found", "missing", "warning", "r-2") in told
    assert {("session.created", session_id)} <= {entry[:2] for entry in told}
    assert "application.startup" in {entry[0] for entry in told}
    handled = [entry for entry in logged if entry["event"] == "request.handled"]
    assert [entry["status"] for entry in handled] == [201, 200, 404]

"""Who is there, and what the others are told of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.realtime.joining import POLLING, WEBSOCKET, acked, faulted, heard, said, seated
from tests.realtime.raw_client import raw_guest

if TYPE_CHECKING:
    from tests.rest.api import Api
    from tests.rest.serving import Open
    from tests.services.js_client import JsClient

ADA = {"user_id": "ada", "user_name": "Ada"}
BEN = {"user_id": "ben", "user_name": "Ben"}


async def test_the_others_are_told_who_comes_and_goes(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id, "Ada")
    ben = await seated(js, api_on_both, session_id, "Ben")
    assert (await ada.wait("user_joined")).args[0] == BEN
    joined = ben.named("session_joined")[0].args[0]
    assert [user["user_id"] for user in joined["users"]] == ["ada", "ben"]
    assert ben.named("user_joined") == []
    await ben.disconnect()
    assert (await ada.wait("user_left", seconds=1.5)).args[0] == BEN
    assert await api_on_both.names(session_id) == {"Ada"}


async def test_users_are_listed_with_their_roles(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    await seated(js, api_on_both, session_id, "Ada")
    users = await api_on_both.get(f"/api/sessions/{session_id}/users")
    assert users.data == [{**ADA, "role": "member"}]


async def test_two_tabs_are_one_person(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session(max_users=2)
    ben = await seated(js, api_on_both, session_id, "Ben")
    first, second = [await seated(js, api_on_both, session_id, "Ada") for _ in range(2)]
    await said(first, "from one tab")
    await heard(second, "from one tab")
    await first.disconnect()
    await said(second, "from the other")
    await heard(ben, "from the other")
    await second.disconnect()
    assert (await ben.wait("user_left")).args[0] == ADA
    told = [event.name for event in ben.events if event.name in {"user_joined", "user_left"}]
    assert told == ["user_joined", "user_left"]


async def test_who_comes_back_within_the_grace_was_never_away(js: JsClient, open_api: Open) -> None:
    api = await open_api(SEAT_GRACE_SECONDS="5")
    session_id = await api.session()
    ben = await seated(js, api, session_id, "Ben")
    ada = await seated(js, api, session_id, "Ada")
    for _ in range(2):
        await ada.drop()
        await ada.wait("disconnect")
        await ada.wait("connect")
    await said(ada, "back")
    await heard(ben, "back")
    told = [event.name for event in ben.events if event.name in {"user_joined", "user_left"}]
    assert told == ["user_joined"]
    assert await api.names(session_id) == {"Ada", "Ben"}


async def test_who_drops_keeps_the_seat_for_the_grace_only(js: JsClient, database_url: str, open_api: Open) -> None:
    api = await open_api(SEAT_GRACE_SECONDS="0.3", DATABASE_URL=database_url)
    session_id = await api.session(max_users=2)
    ben = await seated(js, api, session_id, "Ben")
    async with raw_guest(api, session_id, "Ada") as ada:
        await ben.wait("user_joined")
        ada.socket._response.connection.transport.abort()  # type: ignore[union-attr]
    assert (await ben.wait("user_left")).args[0] == ADA
    assert await api.names(session_id) == {"Ben"}
    await seated(js, api, session_id, "Cleo")


async def test_a_leaving_tab_frees_its_seat_for_another_person_at_once(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session(max_users=1)
    ada = await seated(js, api_on_both, session_id, "Ada")
    await acked(ada, "leave_session")
    ben = await seated(js, api_on_both, session_id, "Ben")
    await ben.disconnect()
    async with asyncio.timeout(1):
        while await api_on_both.names(session_id):
            await asyncio.sleep(0.02)
    await seated(js, api_on_both, session_id, "Cleo")


async def test_a_change_is_told_to_everyone(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    ada = await seated(js, api_on_both, session_id)
    async with raw_guest(api_on_both, session_id, "Ben") as ben:
        change = {"name": "Wednesday", "max_users": 3, "spirit": {"answers": "never"}}
        changed = await api_on_both.call("PATCH", f"/api/sessions/{session_id}", change)
        assert (await ada.wait("session_updated")).args[0] == changed.data
        assert (await ben.until("session_updated"))["data"] == changed.data


async def test_fewer_seats_than_people_send_nobody_away(js: JsClient, api: Api) -> None:
    session_id = await api.session()
    ada, ben = [await seated(js, api, session_id, name) for name in ("Ada", "Ben")]
    await api.call("PATCH", f"/api/sessions/{session_id}", {"max_users": 1})
    await said(ada, "still here")
    await acked(ben, "leave_session")
    again = {"session_id": session_id, "user_name": "Ben", "user_id": "ben"}
    assert await faulted(ben, "join_session", again) == "SESSION_FULL"


async def test_the_end_is_told_and_closes_every_connection(js: JsClient, api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    people = [
        await seated(js, api_on_both, session_id, name, transports=how)
        for name, how in (("Ada", WEBSOCKET), ("Ben", POLLING))
    ]
    async with raw_guest(api_on_both, session_id, "Cleo") as cleo:
        await api_on_both.call("DELETE", f"/api/sessions/{session_id}")
        assert (await cleo.until("session_closed"))["data"] == {"reason": "ended"}
        assert await cleo.closed() == 4410
    for person in people:
        assert (await person.wait("session_closed")).args[0] == {"reason": "ended"}
        assert (await person.wait("disconnect")).args[0] == "io server disconnect"
    async with asyncio.timeout(2):
        while await api_on_both.names(session_id):
            await asyncio.sleep(0.02)


async def test_who_goes_while_joining_leaves_no_ghost(api_on_both: Api) -> None:
    session_id = await api_on_both.session()
    for _ in range(10):
        async with api_on_both.http.ws_connect(f"{api_on_both.url}/socket.io/?EIO=4&transport=websocket") as socket:
            await socket.receive_str(timeout=5)
            await socket.send_str(f'40{{"session_id":"{session_id}","user_name":"Ada","user_id":"ada"}}')
            await socket.send_str("1")
    async with asyncio.timeout(3):
        while await api_on_both.names(session_id):
            await asyncio.sleep(0.02)

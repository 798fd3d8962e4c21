"""The room page, used by people: what they see and what stays."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from playwright.async_api import expect

from tests.browser.conftest import PHONE, Visitor
from tests.services.processes import ServerProcess, environment
from tests.services.spawn import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Route, WebSocketRoute

    from tests.browser.conftest import Visit

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FROM_END = (
    "(() => { const s = document.getElementById('scroll'); return s.scrollHeight - s.scrollTop - s.clientHeight; })()"
)


async def create(rest: aiohttp.ClientSession, **body: Any) -> str:
    async with rest.post("/api/sessions", json={"name": "An evening"} | body) as answer:
        return str((await answer.json())["data"]["id"])


async def post(rest: aiohttp.ClientSession, session: str, text: str, name: str = "Mina") -> None:
    body = {"message": text, "user_name": name, "user_id": name.lower()}
    async with rest.post(f"/api/sessions/{session}/messages", json=body) as answer:
        assert answer.status == 201


async def test_two_people_and_the_spirit_talk_and_see_the_same(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    session = await ada.start("Ada", "The house on Lime Street")
    await ben.join(session, "Ben")
    await expect(ada.page.locator("#people")).to_contain_text("Ben")
    await expect(ben.page.locator("#session-name")).to_have_text("The house on Lime Street")

    await ada.say("Good evening. Is anybody there?")
    await ben.hears("Good evening. Is anybody there?")
    await ada.spirit_spoke()
    await ben.spirit_spoke()
    await ben.say("I heard that.")
    await ada.hears("I heard that.")
    await ben.spirit_spoke()

    await expect(ada.page.locator("#pending li")).to_have_count(0)
    await expect(ada.page.locator("#log .said.theirs .who")).to_have_text("Ben")
    await same_lines(ada, ben)


async def same_lines(*visitors: Visitor) -> None:
    """Returns when everyone's page shows the same; the spirit's letters may still be coming."""
    first = visitors[0].page.locator("#log .said .text")
    for other in visitors[1:]:
        await expect(other.page.locator("#log .said .text")).to_have_count(await first.count())
    for visitor in visitors:
        await expect(visitor.page.locator("#log .letter")).to_have_count(0)
    assert len({tuple(await visitor.lines()) for visitor in visitors}) == 1


async def test_a_reload_keeps_the_conversation_the_seat_and_the_draft(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    session = await ada.start("Ada")
    await ben.join(session, "Ben")
    await ada.say("Said before the reload")
    await ben.hears("Said before the reload")
    await ada.spirit_spoke()
    await ada.page.fill("#say", "half a thought")

    await ada.page.reload()

    await ada.hears("Said before the reload")
    await expect(ada.page.locator("#log .said.mine")).to_have_count(1)
    await expect(ada.page.locator("#say")).to_have_value("half a thought")
    await expect(ada.page.locator("#people li")).to_have_count(2)
    assert await ada.page.evaluate(FROM_END) < 5


async def test_what_is_said_offline_is_sent_when_the_line_is_back_and_nothing_is_missed(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    session = await ada.start("Ada")
    await ben.join(session, "Ben")

    await ada.context.set_offline(offline=True)
    await expect(ada.page.locator("#banner")).to_be_visible()
    await ada.say("one, while offline")
    await ada.say("two, while offline")
    await expect(ada.page.locator("#pending .sending")).to_have_count(2)
    await ben.say("said meanwhile")
    await ben.hears("said meanwhile")
    await ada.context.set_offline(offline=False)

    await ben.hears("two, while offline")
    await ada.hears("said meanwhile")
    await expect(ada.page.locator("#banner")).to_be_hidden()
    await expect(ada.page.locator("#pending li")).to_have_count(0)
    assert [line for line in await ben.lines(".theirs") if "offline" in line] == [
        "one, while offline",
        "two, while offline",
    ]
    ada.faults.clear()  # Chromium itself reports each request that failed for want of a network


async def test_the_page_comes_back_by_itself_after_a_server_restart(visit: Visit) -> None:
    async with ServerProcess(RATE_LIMITS="off", PORT=str(free_port())) as server:
        ada = await visit(server)
        session = await ada.start("Ada")
        await ada.say("Before the fall")
        await ada.spirit_spoke()
        await server.kill()
        await expect(ada.page.locator("#banner")).to_be_visible()
        await ada.say("Said to an empty room")
        await server.start()
        await expect(ada.page.locator("#banner")).to_be_hidden()
        await ada.hears("Said to an empty room")
        assert session in ada.page.url
        ada.faults.clear()  # Chromium itself reports each refused connection
        await ada.go()


async def test_letters_appear_while_the_spirit_speaks_and_it_can_be_hushed(visit: Visit) -> None:
    ada = await visit()
    await ada.start("Ada")
    await ada.say("Tell me everything you know about this house and everyone in it.")
    await expect(ada.page.locator("#turn")).to_be_visible()
    await expect(ada.page.locator("#stop")).to_be_visible()
    await expect(ada.page.locator("#summon")).to_be_hidden()
    await ada.page.click("#stop")
    await expect(ada.page.locator("#turn")).to_be_hidden()
    await expect(ada.page.locator("#summon")).to_be_visible()


async def test_a_summoned_spirit_comes(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(rest, spirit={"answers": "summon"})
    ada = await visit()
    await ada.join(session, "Ada")
    await ada.say("Nobody answers this.")
    await ada.hears("Nobody answers this.")
    await ada.page.click("#summon")
    await ada.spirit_spoke()


async def test_a_room_without_a_spirit_offers_none(visit: Visit, rest: aiohttp.ClientSession) -> None:
    ada = await visit()
    await ada.join(await create(rest, spirit={"answers": "never"}), "Ada")
    await expect(ada.page.locator("#summon")).to_be_hidden()
    await expect(ada.page.locator("#state")).to_have_text("No spirit tonight")


async def test_others_see_that_one_is_writing(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    await ben.join(await ada.start("Ada"), "Ben")
    await ben.page.type("#say", "I am")
    await expect(ada.page.locator("#typing")).to_have_text("Ben is writing …")
    await ben.page.fill("#say", "")
    await expect(ada.page.locator("#typing")).to_be_empty()


async def test_who_leaves_is_gone_from_the_table(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    await ben.join(await ada.start("Ada"), "Ben")
    await expect(ada.page.locator("#people li")).to_have_count(2)
    await ben.page.click("#leave")
    await expect(ben.page.locator("#lobby")).to_be_visible()
    await expect(ada.page.locator("#people li")).to_have_count(1)
    await expect(ben.page.locator("#recent-list a")).to_have_count(1)


async def test_older_messages_come_when_one_scrolls_up_without_moving_what_is_read(
    visit: Visit, rest: aiohttp.ClientSession
) -> None:
    session = await create(rest, spirit={"answers": "never"})
    for number in range(1, 131):
        await post(rest, session, f"line {number}")
    ada = await visit()
    await ada.join(session, "Ada")
    said = ada.page.locator("#log .said")
    await expect(said).to_have_count(50)
    assert await ada.page.evaluate(FROM_END) < 5
    for count in (100, 130):
        anchor = said.first
        seq = await anchor.get_attribute("data-seq")
        await ada.page.evaluate("document.getElementById('scroll').scrollTop = 0")
        await expect(said).to_have_count(count)
        await expect(ada.page.locator(f"[data-seq='{seq}']")).to_be_in_viewport()
    await expect(ada.page.locator("#beginning")).to_be_visible()
    assert await ada.lines() == [f"line {number}" for number in range(1, 131)]


async def test_what_came_while_one_read_higher_up_is_counted_and_marked(
    visit: Visit, rest: aiohttp.ClientSession
) -> None:
    session = await create(rest, spirit={"answers": "never"})
    for number in range(40):
        await post(rest, session, f"line {number}")
    ada = await visit()
    await ada.join(session, "Ada")
    await expect(ada.page.locator("#log .said")).to_have_count(40)
    await ada.page.evaluate("document.getElementById('scroll').scrollTop = 0")
    await expect(ada.page.locator("#newest")).to_be_visible()
    await post(rest, session, "first unread")
    await post(rest, session, "second unread")
    await expect(ada.page.locator("#newest")).to_contain_text("2 new")
    await expect(ada.page).to_have_title(re.compile(r"^\(2\)"))
    await ada.page.click("#newest")
    await expect(ada.page.locator("#newest")).to_be_hidden()
    await expect(ada.page.locator(".mark + .said .text")).to_have_text("first unread")
    await expect(ada.page).to_have_title(re.compile(r"^An evening"))


async def test_an_ended_session_can_be_read_but_not_spoken_in(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(rest, spirit={"answers": "never"})
    await post(rest, session, "The last words")
    ada = await visit()
    await ada.join(session, "Ada")
    await rest.delete(f"/api/sessions/{session}")
    await expect(ada.page.locator("#ended")).to_contain_text("has ended")
    await expect(ada.page.locator("#composer")).to_be_hidden()

    late = await visit()
    await late.open(f"/#{session}")
    await late.page.fill("#name", "Too late")
    await late.page.click("#begin")
    await late.hears("The last words")
    await expect(late.page.locator("#ended")).to_be_visible()


async def test_a_full_table_says_so(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(rest, max_users=1)
    ada, ben = await visit(), await visit()
    await ada.join(session, "Ada")
    await ben.open(f"/?session={session}")
    await ben.page.fill("#name", "Ben")
    await ben.page.click("#begin")
    await expect(ben.page.locator("#lobby-error")).to_contain_text("seats")


async def test_who_is_quicker_than_the_invitation_still_joins_that_session(
    visit: Visit, rest: aiohttp.ClientSession
) -> None:
    session = await create(rest, name="The house on Lime Street")
    ada = await visit()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await answer.wait()
        await route.continue_()

    await ada.context.route(f"**/api/sessions/{session}", hold)
    await ada.open(f"/#{session}")
    await asked.wait()
    await ada.page.fill("#name", "Ada")
    await ada.page.press("#name", "Enter")
    answer.set()
    await ada.page.click("#begin")
    await expect(ada.page.locator("#session-name")).to_have_text("The house on Lime Street")


async def test_an_invitation_to_nowhere_says_so(visit: Visit) -> None:
    ada = await visit()
    await ada.open("/#00000000-0000-4000-8000-000000000000")
    await expect(ada.page.locator("#lobby-error")).to_have_text("There is no such séance. Start one of your own.")
    await expect(ada.page.locator("#new-session")).to_be_visible()
    ada.faults.clear()  # Chromium itself reports the 404


@pytest.mark.parametrize("fragment", ["%", "%E0%A4%A", "session=%"])
async def test_a_link_that_is_none_leads_to_the_lobby(visit: Visit, fragment: str) -> None:
    ada = await visit()
    await ada.open(f"/#{fragment}")
    await expect(ada.page.locator("#begin")).to_be_visible()
    ada.faults[:] = [fault for fault in ada.faults if "404" not in fault]  # Chromium itself reports it


async def test_an_observer_is_told_so_and_offered_nothing_that_is_refused(
    visit: Visit, rest: aiohttp.ClientSession
) -> None:
    ada = await visit()
    session = await ada.start("Ada")
    async with rest.post(f"/api/sessions/{session}/tokens", json={"role": "observer"}) as answer:
        token = (await answer.json())["data"]["token"]
    ben = await visit()
    await ben.join(f"session={session}&token={token}", "Ben")
    await expect(ben.page.locator("#watching")).to_be_visible()
    for name in ("composer", "summon", "stop"):
        await expect(ben.page.locator(f"#{name}")).to_be_hidden()
    await expect(ada.page.locator("#watching")).to_be_hidden()
    await ada.say("Can you hear me?")
    await ben.hears("Can you hear me?")


async def test_text_never_becomes_markup(visit: Visit, rest: aiohttp.ClientSession) -> None:
    hostile = "<img src=x onerror=document.title='pwned'><script>document.title='pwned'</script>"
    session = await create(rest, name="<b>bold</b>", spirit={"answers": "never"})
    await post(rest, session, hostile, name="<i>Eve</i>")
    ada = await visit()
    await ada.join(session, "Ada")
    assert await ada.lines() == [hostile]
    await expect(ada.page.locator("#session-name")).to_have_text("<b>bold</b>")
    await expect(ada.page.locator("#log .who")).to_have_text("<i>Eve</i>")
    assert await ada.page.locator("#log img, #log script, #log i").count() == 0


async def test_a_phone_of_360_pixels_is_wide_enough(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(
        rest, name="A séance whose name is longer than a telephone is wide", spirit={"answers": "never"}
    )
    ada = await visit(viewport=PHONE, has_touch=True, is_mobile=True)
    await ada.open()
    assert await ada.page.evaluate(OVERFLOW) == 0
    await ada.join(session, "Somebody with a long name")
    await ada.say("https://example.org/" + "averylongaddress" * 20)
    await ada.hears("averylongaddress")
    assert await ada.page.evaluate(OVERFLOW) == 0
    for control in ("#say", "#send", "#invite", "#leave", "#summon"):
        if await ada.page.locator(control).is_visible():
            await expect(ada.page.locator(control)).to_be_in_viewport(ratio=1)


async def test_everything_can_be_done_from_the_keyboard(visit: Visit) -> None:
    ada = await visit()
    await ada.open()
    await expect(ada.page.locator("#name")).to_be_focused()
    await ada.page.keyboard.type("Ada")
    await ada.page.keyboard.press("Enter")
    await expect(ada.page.locator("#say")).to_be_focused()
    await ada.page.keyboard.type("first line")
    await ada.page.keyboard.press("Shift+Enter")
    await ada.page.keyboard.type("second line")
    await ada.page.keyboard.press("Enter")
    await ada.hears("first line\nsecond line")


async def test_a_screen_reader_is_told_once_what_others_say_and_whole_answers_only(visit: Visit) -> None:
    ada, ben = await visit(), await visit()
    await ben.join(await ada.start("Ada"), "Ben")
    await ada.page.evaluate(
        "window.told = []; new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach("
        "(node) => told.push(node.textContent)))).observe(document.getElementById('live'), {childList: true})"
    )
    await ben.say("Can you hear me?")
    await ada.spirit_spoke()
    await expect(ada.page.locator("#log .letter")).to_have_count(0)
    told: list[str] = await ada.page.evaluate("told")
    assert told.count("Ben: Can you hear me?") == 1
    answer = (await ada.lines(".spirit"))[0]
    assert [line for line in told if answer in line] == [f"Spirit: {answer}"]
    assert len([line for line in told if line.startswith("Spirit: ")]) == 1


async def test_reduced_motion_shows_text_at_once(visit: Visit) -> None:
    ada = await visit(reduced_motion="reduce")
    await ada.start("Ada")
    await ada.page.evaluate(
        "window.letters = 0; new MutationObserver(() => letters += document.querySelectorAll('.letter').length)"
        ".observe(document.body, {childList: true, subtree: true})"
    )
    await ada.say("Are you there?")
    await ada.spirit_spoke()
    assert await ada.page.evaluate("letters") == 0


async def test_a_refused_message_says_why_and_can_be_discarded(visit: Visit, rest: aiohttp.ClientSession) -> None:
    ada = await visit()
    session = await ada.start("Ada")
    await ada.page.evaluate("document.getElementById('say').maxLength = 20000")
    await ada.say("x" * 9_000)
    failed = ada.page.locator("#pending .failed")
    await expect(failed).to_contain_text("not delivered")
    await failed.get_by_role("button", name="Discard").click()
    await expect(failed).to_have_count(0)
    async with rest.get(f"/api/sessions/{session}/messages") as answer:
        assert (await answer.json())["data"] == []


async def test_a_burst_beyond_the_rate_limit_arrives_whole_and_in_order(visit: Visit) -> None:
    async with ServerProcess() as server:
        ada = await visit(server)
        await ada.start("Ada")
        texts = [f"line {number}" for number in range(25)]
        for text in texts:
            await ada.say(text)
        await expect(ada.page.locator("#log .said.mine")).to_have_count(25)
        await expect(ada.page.locator("#pending li")).to_have_count(0)
        assert await ada.lines(".mine") == texts
        await ada.go()


async def test_with_auth_on_an_invitation_carries_a_token_of_its_own(visit: Visit) -> None:
    secret = "candle" * 8
    async with ServerProcess(RATE_LIMITS="off", AUTH_REQUIRED="true", JWT_SECRET=secret) as server:
        session, host_token = await create_with_host(server, secret)
        ada, ben, eve = [await visit(server, permissions=["clipboard-read", "clipboard-write"]) for _ in range(3)]
        await ada.open(f"/#session={session}&token={host_token}")
        await expect(ada.page.locator("#lobby-line")).to_contain_text("Behind a door")
        assert host_token not in ada.page.url
        await ada.page.fill("#name", "Ada")
        await ada.page.click("#begin")
        await expect(ada.page.locator("#people li")).to_have_count(1)
        await ada.page.click("#invite")
        await expect(ada.page.locator("#toast")).to_contain_text("copied")
        link = urlsplit(await ada.page.evaluate("navigator.clipboard.readText()"))
        assert host_token not in link.fragment
        await ben.join(link.fragment, "Ben")
        await expect(ada.page.locator("#people li")).to_have_count(2)
        await ben.say("I was invited.")
        await ada.hears("I was invited.")

        await eve.open(f"/#{session}")
        await expect(eve.page.locator("#lobby-error")).to_have_text("A valid token is required")
        eve.faults.clear()  # Chromium itself reports the 401
        for visitor in (ada, ben, eve):
            await visitor.go()


async def create_with_host(server: ServerProcess, secret: str) -> tuple[str, str]:
    """A session made by a back end: its id and its host's token."""
    command = [sys.executable, "-m", "server", "token", "create", "--role", "service"]
    environ = environment(JWT_SECRET=secret, AUTH_REQUIRED="true")
    maker = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
    token = (await maker.communicate())[0].decode().strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as http_client,
        http_client.post("/api/sessions", json={"name": "Behind a door"}) as answer,
    ):
        made = (await answer.json())["data"]
    return made["id"], made["host_token"]


async def test_a_change_of_the_session_is_seen_at_once(visit: Visit, rest: aiohttp.ClientSession) -> None:
    ada = await visit()
    session = await ada.start("Ada", "Before")
    await rest.patch(f"/api/sessions/{session}", json={"name": "After", "spirit": {"answers": "never"}})
    await expect(ada.page.locator("#session-name")).to_have_text("After")
    await expect(ada.page.locator("#summon")).to_be_hidden()


async def test_two_tabs_of_one_person_are_one_at_the_table(visit: Visit) -> None:
    ada = await visit()
    session = await ada.start("Ada")
    await ada.say("From the first tab")
    second = Visitor(ada.base, ada.context, await ada.context.new_page())
    second.watch()
    await second.join(session, "Ada")
    await second.hears("From the first tab")
    await expect(second.page.locator("#log .said.mine")).to_have_count(1)
    await expect(second.page.locator("#people li")).to_have_count(1)
    assert second.faults == []


async def test_a_tall_screen_is_filled_and_a_hole_of_any_size_is_too(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(rest, spirit={"answers": "never"})
    for number in range(1, 61):
        await post(rest, session, f"line {number}")
    ada = await visit(viewport={"width": 900, "height": 6000})
    await ada.join(session, "Ada")
    await expect(ada.page.locator("#log .said")).to_have_count(60)
    await ada.context.set_offline(offline=True)
    await expect(ada.page.locator("#banner")).to_be_visible()
    for number in range(61, 321):
        await post(rest, session, f"line {number}")
    await ada.context.set_offline(offline=False)
    await ada.hears("line 320")
    assert await ada.lines() == [f"line {number}" for number in range(1, 321)]
    ada.faults.clear()  # Chromium itself reports each request that failed for want of a network


async def test_a_message_that_was_lost_on_the_way_is_asked_for(visit: Visit, rest: aiohttp.ClientSession) -> None:
    session = await create(rest, spirit={"answers": "never"})
    ada = await visit()
    await ada.context.route_web_socket("**/socket.io/**", lose("the lost words"))
    await ada.join(session, "Ada")
    for text in ("the first words", "the lost words", "the last words"):
        await post(rest, session, text)
    await ada.hears("the last words")
    assert await ada.lines() == ["the first words", "the lost words", "the last words"]


async def test_an_own_message_whose_echo_was_lost_is_asked_for(visit: Visit) -> None:
    ada = await visit()
    await ada.context.route_web_socket("**/socket.io/**", lose('42["message_received"'))
    await ada.start("Ada")
    await ada.say("Only acknowledged")
    await ada.hears("Only acknowledged")
    await expect(ada.page.locator("#pending li")).to_have_count(0)


def lose(part: str) -> Callable[[WebSocketRoute], None]:
    """A line between page and server that drops the server's frames with this in them."""

    def connect(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        server.on_message(lambda frame: None if part in str(frame) else page.send(frame))

    return connect


@pytest.mark.parametrize("later", [0, 60])
async def test_a_message_stored_but_not_acknowledged_before_a_reload_is_there_once(
    visit: Visit, rest: aiohttp.ClientSession, later: int
) -> None:
    session = await create(rest, spirit={"answers": "never"})
    ada = await visit()
    await ada.join(session, "Ada")
    await ada.say("Said once")
    await ada.hears("Said once")
    for number in range(later):
        await post(rest, session, f"line {number}")
    async with rest.get(f"/api/sessions/{session}/messages?after_seq=0&limit=1") as answer:
        stored = (await answer.json())["data"][0]
    unsent = [{"id": stored["client_message_id"], "text": stored["message"]}]
    await ada.page.evaluate(
        "([key, said]) => sessionStorage.setItem(key, said)", [f"seance.unsent.{session}", json.dumps(unsent)]
    )
    await ada.page.reload()
    await expect(ada.page.locator("#log .said")).to_have_count(min(later + 1, 50))
    await expect(ada.page.locator("#pending li")).to_have_count(0)
    async with rest.get(f"/api/sessions/{session}") as answer:
        assert (await answer.json())["data"]["head"] == later + 1

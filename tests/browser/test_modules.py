"""The page's own logic, imported into a real browser and driven without a room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.browser.conftest import Visit

SHUFFLED = """
async (seed) => {
  const { MessageLog } = await import("/room/log.js");
  let state = seed;
  const random = (below) => (state = (state * 1103515245 + 12345) % 2147483648) % below;
  const history = Array.from({ length: 60 }, (_, i) => ({ seq: i + 1 }));
  const log = new MessageLog();
  const out = [];
  const page = history.slice(10, 30);
  const live = history.slice(20).flatMap((one) => Array(1 + random(3)).fill(one)).filter(() => random(10) > 2);
  for (let i = live.length - 1; i > 0; i--) { const j = random(i + 1); [live[i], live[j]] = [live[j], live[i]]; }
  const startAt = random(live.length);
  live.forEach((one, i) => {
    if (i === startAt) out.push(...log.start(page));
    out.push(...log.accept(one));
  });
  log.notice(60);
  while (log.behind) out.push(...log.accept(...history.slice(log.last, log.last + 7)));
  const older = log.older(history.slice(0, 15));
  return { out: out.map((one) => one.seq), older: older.map((one) => one.seq) };
}
"""

OUTBOX = """
async (script) => {
  const { Outbox } = await import("/room/outbox.js");
  const sent = [];
  let idle;
  const done = new Promise((resolve) => (idle = resolve));
  const send = async ({ text }) => {
    const answer = script[sent.length] ?? "ok";
    sent.push(text);
    if (answer !== "ok") throw answer;
  };
  const changed = (entries) => entries.length && entries.every((one) => one.state !== "sending") && idle();
  const outbox = new Outbox({ send, changed });
  outbox.add("a");
  outbox.open();
  for (const text of ["b", "c"]) outbox.add(text);
  await done;
  const ids = new Set(outbox.entries.map((one) => one.id)).size;
  return { sent, states: outbox.entries.map((one) => one.state), ids };
}
"""

TURNS = """
async ([deltas, under_way]) => {
  const { Turns } = await import("/room/turns.js");
  const turns = new Turns();
  if (under_way) turns.resume({ turn_id: "t", ...under_way });
  else turns.begin("t");
  for (const [index, text] of deltas) turns.delta({ turn_id: "t", index, text });
  return turns.current;
}
"""


@pytest.mark.parametrize("seed", range(12))
async def test_messages_in_any_order_repeated_and_lost_come_out_by_seq_once(visit: Visit, seed: int) -> None:
    ada = await visit()
    await ada.open()
    said: dict[str, Any] = await ada.page.evaluate(SHUFFLED, seed * 7919 + 1)
    assert said["out"] == list(range(11, 61))
    assert said["older"] == list(range(1, 11))


BUSY = {"message": "busy", "retryable": True, "retryAfter": 0.01}
REFUSED = {"message": "no", "retryable": False}
LOST = {"message": "lost", "lost": True}


@pytest.mark.parametrize(
    ("script", "sent", "states"),
    [
        ([], "abc", ["sent", "sent", "sent"]),
        ([BUSY, BUSY], "aaabc", ["sent", "sent", "sent"]),
        (["ok", LOST], "abbc", ["sent", "sent", "sent"]),
        ([REFUSED], "abc", ["failed", "sent", "sent"]),
        ([BUSY] * 5, "aaaaabc", ["failed", "sent", "sent"]),
    ],
)
async def test_own_messages_keep_their_order_through_every_retry(
    visit: Visit, script: list[Any], sent: str, states: list[str]
) -> None:
    ada = await visit()
    await ada.open()
    told: dict[str, Any] = await ada.page.evaluate(OUTBOX, script)
    assert "".join(told["sent"]) == sent
    assert told["states"] == states
    assert told["ids"] == 3


@pytest.mark.parametrize(
    ("deltas", "text", "whole"),
    [
        ([[0, "a"], [1, "b"]], "ab", True),
        ([[0, "a"], [0, "a"], [1, "b"]], "ab", True),
        ([[0, "a"], [2, "c"]], "a", False),
        ([[4, "e"], [5, "f"]], "", False),
    ],
)
async def test_a_turn_shows_only_what_it_has_from_the_beginning(
    visit: Visit, deltas: list[list[Any]], text: str, *, whole: bool
) -> None:
    ada = await visit()
    await ada.open()
    turn = await ada.page.evaluate(TURNS, [deltas, None])
    assert (turn["text"], turn["whole"]) == (text, whole)


async def test_who_joins_in_the_middle_of_a_turn_continues_it(visit: Visit) -> None:
    ada = await visit()
    await ada.open()
    turn = await ada.page.evaluate(TURNS, [[[2, "c"], [3, "d"]], {"index": 3, "text": "abc"}])
    assert turn["text"] == "abcd"


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("https://example.org/#abc-1", {"id": "abc-1"}),
        ("https://example.org/?session=abc-1", {"id": "abc-1"}),
        ("https://example.org/#session=abc-1&token=e.y.z", {"id": "abc-1", "token": "e.y.z"}),
        ("abc-1", {"id": "abc-1"}),
        ("https://example.org/", None),
        ("no link at all", None),
    ],
)
async def test_invitations_are_read_in_every_form(visit: Visit, link: str, found: dict[str, str] | None) -> None:
    ada = await visit()
    await ada.open()
    script = "async (link) => JSON.parse(JSON.stringify((await import('/room/lobby.js')).fromLink(link)))"
    assert await ada.page.evaluate(script, link) == found

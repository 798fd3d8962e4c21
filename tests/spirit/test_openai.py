"""Each way an endpoint can behave, over real HTTP: one visible outcome, and nothing left open."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from server.core.ports import ProviderFailedError, Usage
from server.spirit.openai import OpenAISpirit
from server.spirit.patience import Endpoint, Patience
from tests.spirit.fake_openai import WORDS, FakeOpenAI, Mode, endpoint_process, serving
from tests.spirit.scenes import ANNA, BEN, SESSION_ID, Table, session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TEXT = "".join(WORDS)
# One scaled unit of time for every bound.
MS = 0.001
CALM = Patience(
    connect_seconds=5.0,
    first_token_seconds=10.0,
    between_tokens_seconds=10.0,
    turn_seconds=20.0,
    retries=1,
    backoff_seconds=1 * MS,
    retry_after_seconds=2.0,
)
# For endpoints that hang: the bound itself is what is awaited.
HASTY = replace(CALM, first_token_seconds=300 * MS, between_tokens_seconds=300 * MS)
UNHURRIED = Patience(output_chars=100_000)
KEY = "sk-never-in-a-log"


@pytest.fixture
def fake() -> FakeOpenAI:
    return FakeOpenAI()


@pytest.fixture
async def url(fake: FakeOpenAI) -> AsyncIterator[str]:
    async with serving(fake) as base_url:
        yield base_url


async def spirit(url: str, *more: str, patience: Patience = CALM, **settings: Any) -> OpenAISpirit:
    endpoints = [Endpoint(base, "ghost-1", KEY) for base in (url, *more)]
    return await asyncio.to_thread(OpenAISpirit, endpoints, patience=patience, **settings)


async def hear(voice: OpenAISpirit) -> tuple[list[str], Usage | None, str | None]:
    """What was said, what it cost, and the code it failed with."""
    said: list[str] = []
    usage: Usage | None = None
    try:
        async with asyncio.timeout(10), aclosing(voice.speak(Table().says(ANNA, "Who is there?"))) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    assert usage is None
                    usage = piece
                else:
                    assert piece
                    said.append(piece)
    except ProviderFailedError as failure:
        return said, usage, failure.code
    finally:
        await voice.aclose()
    return said, usage, None


async def nothing_open(fake: FakeOpenAI) -> None:
    async with asyncio.timeout(1):
        await fake.closed.wait()
    assert fake.open_calls == 0


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.SLOW, Mode.LETTERS])
async def test_an_answer_arrives_whole_with_its_counted_usage(fake: FakeOpenAI, url: str, mode: Mode) -> None:
    fake.mode, fake.pause_seconds = mode, 10 * MS
    said, usage, code = await hear(await spirit(url))
    assert ("".join(said), usage, code) == (TEXT, Usage(321, 9), None)


async def test_usage_is_estimated_where_the_endpoint_counts_none(fake: FakeOpenAI, url: str) -> None:
    fake.mode = Mode.NO_USAGE
    said, usage, code = await hear(await spirit(url))
    assert "".join(said) == TEXT
    assert code is None
    assert usage is not None
    assert usage.prompt_tokens > 100
    assert 9 <= usage.completion_tokens < 60


@pytest.mark.parametrize(
    ("mode", "outcome", "calls"),
    [
        (Mode.RATE_LIMITED, "rate_limited", 2),
        (Mode.SERVER_ERROR, "upstream_error", 2),
        (Mode.ERROR_EVENT, "upstream_error", 2),
        (Mode.UNAUTHORISED, "rejected", 1),
        (Mode.HANG_BEFORE, "timeout_first_token", 1),
        (Mode.HANG_AFTER_HEADERS, "timeout_first_token", 1),
        (Mode.GARBAGE, "garbage", 2),
        (Mode.HTML, "garbage", 2),
        (Mode.EMPTY, "empty", 2),
    ],
)
async def test_a_call_that_fails_before_a_word_has_one_code(
    fake: FakeOpenAI, url: str, mode: Mode, outcome: str, calls: int
) -> None:
    fake.mode, fake.retry_after = mode, "0.01"
    assert await hear(await spirit(url, patience=HASTY if "hang" in mode else CALM)) == ([], None, outcome)
    assert len(fake.requests) == calls
    await nothing_open(fake)


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [(Mode.HANG_MIDSTREAM, "timeout_between_tokens"), (Mode.CUT, "cut"), (Mode.SHORT, "cut")],
)
async def test_a_call_that_fails_in_the_middle_keeps_what_was_said_and_is_not_retried(
    fake: FakeOpenAI, url: str, mode: Mode, outcome: str
) -> None:
    fake.mode = mode
    said, usage, code = await hear(await spirit(url, patience=HASTY if "hang" in mode else CALM))
    assert "".join(said) == "".join(WORDS[:3]).rstrip()
    assert code == outcome
    assert usage is not None
    assert len(fake.requests) == 1
    await nothing_open(fake)


async def test_no_endpoint_at_all_fails_as_connect() -> None:
    async with serving(FakeOpenAI()) as url:
        gone = url
    assert await hear(await spirit(gone)) == ([], None, "connect")


async def test_a_turn_ends_at_its_bound_however_steadily_the_tokens_come(fake: FakeOpenAI, url: str) -> None:
    fake.mode, fake.pause_seconds = Mode.SLOW, 100 * MS
    said, _, code = await hear(await spirit(url, patience=replace(CALM, turn_seconds=350 * MS)))
    assert code == "timeout_turn"
    assert TEXT.startswith("".join(said))


async def test_endless_output_ends_at_the_bound_and_closes_the_call(fake: FakeOpenAI, url: str) -> None:
    fake.mode = Mode.ENDLESS
    said, usage, code = await hear(await spirit(url, patience=replace(CALM, output_chars=500)))
    assert (len("".join(said)) <= 500, len("".join(said)) > 490, code) == (True, True, None)
    assert usage is not None
    async with asyncio.timeout(1):
        await fake.closed.wait()


async def test_retry_after_is_waited_for_when_it_is_within_the_bound(fake: FakeOpenAI, url: str) -> None:
    fake.script.append(Mode.RATE_LIMITED)
    fake.retry_after = "1.5"
    waits: list[float] = []

    async def delay(seconds: float) -> None:
        waits.append(seconds)

    said, _, code = await hear(await spirit(url, delay=delay))
    assert ("".join(said), code, waits) == (TEXT, None, [1.5])


async def test_a_retry_after_beyond_the_bound_is_not_waited_for(fake: FakeOpenAI, url: str) -> None:
    fake.mode, fake.retry_after = Mode.RATE_LIMITED, "3600"
    assert await hear(await spirit(url)) == ([], None, "rate_limited")
    assert len(fake.requests) == 1


async def test_another_endpoint_answers_when_the_first_fails_before_a_word(fake: FakeOpenAI, url: str) -> None:
    fake.mode = Mode.SERVER_ERROR
    async with serving(FakeOpenAI()) as spare:
        said, _, code = await hear(await spirit(url, spare))
    assert ("".join(said), code) == (TEXT, None)


async def test_another_endpoint_stays_silent_once_the_first_has_spoken(fake: FakeOpenAI, url: str) -> None:
    fake.mode = Mode.CUT
    idle = FakeOpenAI()
    async with serving(idle) as spare:
        _, _, code = await hear(await spirit(url, spare))
    assert (code, idle.requests) == ("cut", [])


async def test_an_endpoint_that_keeps_failing_is_left_alone_until_it_has_rested(fake: FakeOpenAI, url: str) -> None:
    fake.mode = Mode.SERVER_ERROR
    now = 0.0
    voice = await spirit(url, breaker_failures=2, breaker_rest_seconds=30, clock=lambda: now)
    codes = [await _code(voice) for _ in range(3)]
    assert codes == ["upstream_error", "circuit_open", "circuit_open"]
    assert len(fake.requests) == 2
    now, fake.mode = 31.0, Mode.FAST
    assert await _code(voice) is None
    await voice.aclose()


async def _code(voice: OpenAISpirit) -> str | None:
    try:
        async with aclosing(voice.speak(Table().says(ANNA, "Knock?"))) as pieces:
            async for _ in pieces:
                pass
    except ProviderFailedError as failure:
        return failure.code
    return None


@pytest.mark.parametrize("mode", [Mode.HANG_BEFORE, Mode.HANG_MIDSTREAM, Mode.SLOW])
async def test_cancelling_closes_the_call_upstream_within_a_second(fake: FakeOpenAI, url: str, mode: Mode) -> None:
    fake.mode, fake.pause_seconds = mode, 200 * MS
    voice = await spirit(url, patience=CALM)
    task = asyncio.create_task(hear(voice))
    async with asyncio.timeout(5):
        while not fake.requests:
            await asyncio.sleep(5 * MS)
    task.cancel()
    async with asyncio.timeout(1):
        await fake.closed.wait()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert fake.open_calls == 0


async def test_closing_the_iterator_after_a_word_closes_the_call_upstream(fake: FakeOpenAI, url: str) -> None:
    fake.mode, fake.pause_seconds = Mode.SLOW, 200 * MS
    voice = await spirit(url)
    async with aclosing(voice.speak(Table().says(ANNA, "Who?"))) as pieces:
        assert await anext(pieces)
    async with asyncio.timeout(1):
        await fake.closed.wait()
    await voice.aclose()


async def test_ten_thousand_tokens_a_second_all_arrive() -> None:
    # The endpoint runs in a process of its own, so that only the provider has this loop.
    async with endpoint_process(Mode.FLOOD) as url:
        said, _, code = await hear(await spirit(url, patience=UNHURRIED))
    assert (len("".join(said)), code) == (len("ash " * 10_000) - 1, None)


async def test_a_burst_leaves_the_loop_to_others_even_when_the_listener_is_slow() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with endpoint_process(Mode.BURST) as url:
        voice = await spirit(url, patience=UNHURRIED)
        spinning = asyncio.create_task(others())
        pieces_by_turn: Counter[int] = Counter()
        async with aclosing(voice.speak(Table().says(ANNA, "All at once?"))) as pieces:
            async for _ in pieces:
                pieces_by_turn[turns] += 1
                until = time.perf_counter() + 0.1 * MS
                while time.perf_counter() < until:
                    pass
        spinning.cancel()
        await voice.aclose()
    # A breath comes after 2 ms at the latest; without it, others wait for all that one read brought, some hundreds.
    assert max(pieces_by_turn.values()) <= 40


async def test_nothing_typed_and_no_key_reaches_a_log(
    fake: FakeOpenAI, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.mode = Mode.SERVER_ERROR
    with structlog.testing.capture_logs() as events:
        await hear(await spirit(url))
    told = caplog.text + repr(events) + repr(Endpoint(url, "ghost-1", KEY))
    assert "spirit.upstream_failed" in told
    assert KEY not in told
    assert "Who is there?" not in told
    assert "the words of the endpoint" not in told


async def test_notes_are_made_of_old_notes_and_messages(fake: FakeOpenAI, url: str) -> None:
    table = Table()
    table.says(ANNA, "My sister is called Mathilda.")
    table.says(BEN, "Is she well?")
    voice = await spirit(url)
    notes = await voice.summarise(session(), "Anna asked for a ring.", table.messages)
    text, usage, left_out = notes.text, notes.usage, notes.left_out
    await voice.aclose()
    assert (text, usage, left_out) == (TEXT, Usage(321, 9), ())
    sent = fake.requests[0]["messages"][1]["content"]
    assert "Mathilda" in sent
    assert "Anna asked for a ring." in sent
    assert SESSION_ID not in sent

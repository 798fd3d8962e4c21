"""A voice from any OpenAI-compatible endpoint, with retries, a fallback, and one clear end to every call."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from server.core.ports import Outline, ProviderFailedError, Scene, Summary, Usage
from server.domain import Message, Session
from server.spirit.breaker import Breaker
from server.spirit.failures import UpstreamFailedError
from server.spirit.patience import Endpoint, Patience
from server.spirit.prompt import Prompt, build_prompt, build_summary_request
from server.spirit.upstream import Upstream

DEFAULT_CONTEXT_TOKENS: Final = 8_000
PROMPTS_KEPT: Final = 64
_log = structlog.get_logger()


class OpenAISpirit:
    """The model as a voice: endpoints in the order they are asked, each with its own circuit breaker."""

    name = "openai"
    takes_notes = True

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        patience: Patience | None = None,
        context_tokens: int = DEFAULT_CONTEXT_TOKENS,
        breaker_failures: int = 5,
        breaker_rest_seconds: float = 30.0,
        clock: Callable[[], float] | None = None,
        delay: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take at least one endpoint; the second and later are asked when those before failed before a word.

        Reads certificates and blocks for up to a second: build it before the loop runs, or in a thread.
        """
        self._patience = patience or Patience()
        self._context_tokens = context_tokens
        self._delay = delay
        self._prompts: OrderedDict[int, tuple[Scene, Prompt]] = OrderedDict()
        ticks = clock or (lambda: asyncio.get_running_loop().time())
        self._upstreams = [
            Upstream(
                endpoint,
                self._patience,
                Breaker(failures=breaker_failures, rest_seconds=breaker_rest_seconds, clock=ticks),
            )
            for endpoint in endpoints
        ]

    async def speak(self, scene: Scene) -> AsyncGenerator[str | Usage, None]:
        """Yield the model's answer to a scene; retries and fallbacks end with the first piece."""
        async with aclosing(self._ask(self._prompt(scene), turn_id=scene.turn_id)) as pieces:
            async for piece in pieces:
                yield piece

    def outline(self, scene: Scene) -> Outline:
        """Return what `speak` would send; the answer may cost as much as `Patience` lets it."""
        prompt = self._prompt(scene)
        sent = tuple((message.role, message.content) for message in prompt.messages)
        return Outline(sent, Usage(prompt.tokens, self._patience.output_tokens), prompt.left_out)

    async def summarise(self, session: Session, summary: str, messages: Sequence[Message]) -> Summary:
        """Return new notes for a session; raises as `speak`."""
        request = build_summary_request(session, summary, messages, self._context_tokens)
        text, usage = "", Usage(0, 0)
        async with aclosing(self._ask(request, session_id=session.id)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    text += piece
        return Summary(text, usage, request.left_out)

    async def aclose(self) -> None:
        """Close every endpoint's connections."""
        for upstream in self._upstreams:
            await upstream.aclose()

    def _prompt(self, scene: Scene) -> Prompt:
        """Return the prompt of a scene, built once for its price, its call and the notes after it."""
        known = self._prompts.get(id(scene))
        if known is not None and known[0] is scene:
            return known[1]
        prompt = build_prompt(scene, self._context_tokens)
        self._prompts[id(scene)] = (scene, prompt)
        if len(self._prompts) > PROMPTS_KEPT:
            self._prompts.popitem(last=False)
        return prompt

    async def _ask(self, prompt: Prompt, **ids: str) -> AsyncGenerator[str | Usage, None]:
        deadline = asyncio.get_running_loop().time() + self._patience.turn_seconds
        failure = ProviderFailedError("circuit_open", retryable=True)
        for number, upstream in enumerate(self._upstreams):
            for attempt in range(1 + self._patience.retries):
                if not upstream.breaker.admit():
                    break
                said = False
                try:
                    async with aclosing(upstream.attempt(prompt, deadline)) as pieces:
                        async for piece in pieces:
                            said = True
                            yield piece
                except UpstreamFailedError as error:
                    failure = error
                    _log.warning("spirit.upstream_failed", code=error.code, endpoint=number, attempt=attempt, **ids)
                    wait = self._wait_seconds(error, attempt, deadline)
                    if said:
                        raise
                    if wait is None:
                        break
                    await self._delay(wait)
                else:
                    return
        raise failure

    def _wait_seconds(self, failure: UpstreamFailedError, attempt: int, deadline: float) -> float | None:
        """Return how long to wait before the same endpoint is asked again, or None to leave it."""
        wait = max(failure.wait_seconds, self._patience.backoff_seconds * 2.0**attempt)
        late = asyncio.get_running_loop().time() + wait >= deadline
        if not failure.again or attempt >= self._patience.retries or late:
            return None
        return wait if failure.wait_seconds <= self._patience.retry_after_seconds else None

"""One OpenAI-compatible endpoint, asked once: pieces as they come, or one clear failure."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, suppress
from typing import Any, Final

import openai

from server.core.ports import Usage
from server.spirit.breaker import Breaker
from server.spirit.failures import UpstreamFailedError, failure_of
from server.spirit.mouth import Mouth
from server.spirit.patience import Endpoint, Patience
from server.spirit.prompt import ChatMessage, Prompt
from server.spirit.sse import EventReader
from server.spirit.tokens import estimate_tokens

CLOSE_SECONDS: Final = 1.0
AFTERWORD_SECONDS: Final = 2.0
PARTING_SECONDS: Final = 0.1
BREATH_SECONDS: Final = 0.002
NO_KEY: Final = "none"
GARBAGE: Final = (ValueError, TypeError, AttributeError, KeyError, IndexError)


class Upstream:
    """One endpoint with its client and its circuit breaker."""

    def __init__(self, endpoint: Endpoint, patience: Patience, breaker: Breaker) -> None:
        """Open nothing yet; connections are made with the first call."""
        self.breaker = breaker
        self._endpoint = endpoint
        self._patience = patience
        # OpenAI's newer models refuse the older name, which is the only one that most other servers know.
        self._bound = "max_tokens" if endpoint.base_url else "max_completion_tokens"
        client = openai.AsyncOpenAI(
            api_key=endpoint.api_key or NO_KEY,
            base_url=endpoint.base_url or None,
            max_retries=0,
            timeout=openai.Timeout(None, connect=patience.connect_seconds),
        )
        self._client = client
        # The SDK imports its resources when they are first named: here, not in the first turn.
        self._completions = client.chat.completions

    async def aclose(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def attempt(self, prompt: Prompt, deadline: float) -> AsyncGenerator[str | Usage, None]:
        """Yield one answer's pieces and then its usage, counted or estimated.

        `deadline` is a time of the loop's clock. Raises `UpstreamFailedError`; if text was said before that, its
        usage comes first. Closing the iterator closes the call.
        """
        answer = _Answer(Mouth(self._patience.output_chars), self._patience, deadline)
        settled = False
        try:
            try:
                async with aclosing(answer.pieces(self._completions, self._request(prompt))) as pieces:
                    async for piece in pieces:
                        self.breaker.succeeded()
                        settled = True
                        yield piece
            except UpstreamFailedError as failure:
                settled = True
                self._count(failure)
                if answer.mouth.said:
                    yield answer.usage_for(prompt)
                raise
            yield answer.usage_for(prompt)
        finally:
            if not settled:
                self.breaker.abandoned()
            await answer.close()

    def _count(self, failure: UpstreamFailedError) -> None:
        if failure.code == "rejected":
            self.breaker.abandoned()
        else:
            self.breaker.failed()

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": self._endpoint.model,
            "messages": [],
            # Past the SDK's own look at every message, which would hold the loop for milliseconds.
            "extra_body": {"messages": [_as_dict(message) for message in prompt.messages]},
            self._bound: self._patience.output_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


class _Answer:
    """One streamed answer under way."""

    def __init__(self, mouth: Mouth, patience: Patience, deadline: float) -> None:
        self.mouth = mouth
        self._patience = patience
        self._deadline = deadline
        self._call: Any = None
        self._events = EventReader()
        self._usage: Usage | None = None
        self._finished = False
        self._breath = 0.0

    async def pieces(self, completions: Any, request: dict[str, Any]) -> AsyncGenerator[str, None]:
        """Yield what can be said, piece by piece; raises `UpstreamFailedError`."""
        loop = asyncio.get_running_loop()
        self._breath = loop.time()
        until, code = loop.time() + self._patience.first_token_seconds, "timeout_first_token"
        body = await self._open(until, code, completions.with_streaming_response.create(**request))
        while (received := await self._within(until, code, anext(body, None))) is not None:
            for event in self._parsed(received):
                if said := self.mouth.feed(self._text(event)):
                    yield said
                    until, code = loop.time() + self._patience.between_tokens_seconds, "timeout_between_tokens"
                if self.mouth.full:
                    return
                await self._breathe(loop)
            if self._finished or self._events.done:
                # What may still come is the count of tokens, then the end, which lets the connection be used again.
                patience = PARTING_SECONDS if self._events.done else AFTERWORD_SECONDS
                until = min(until, loop.time() + patience)
        self._check_end()

    async def close(self) -> None:
        """End the call upstream, if there is one."""
        if self._call is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._call.__aexit__(None, None, None)

    def usage_for(self, prompt: Prompt) -> Usage:
        """Return the usage as the endpoint counted it, else the estimate."""
        return self._usage or Usage(prompt.tokens, estimate_tokens(self.mouth.said))

    async def _open(self, until: float, code: str, call: Any) -> AsyncIterator[bytes]:
        """Return the body of the answer once its headers are here, if it is an event stream."""
        response = await self._within(until, code, call.__aenter__())
        self._call = call
        if "event-stream" not in response.headers.get("content-type", ""):
            raise UpstreamFailedError("garbage", retryable=True, again=True)
        body: AsyncIterator[bytes] = response.iter_bytes()
        return body

    async def _within(self, until: float, code: str, call: Awaitable[Any]) -> Any:
        """Return the call's result, or None when all was said and only the count of tokens is missing."""
        try:
            async with asyncio.timeout_at(min(until, self._deadline)):
                return await call
        except TimeoutError:
            if self._finished or self._events.done:
                return None
            name = code if until < self._deadline else "timeout_turn"
            raise UpstreamFailedError(name, retryable=True) from None
        except openai.OpenAIError as error:
            raise failure_of(error) from None
        except Exception:  # noqa: BLE001 - the SDK passes on the errors of its HTTP client, which has a choice of libraries
            raise UpstreamFailedError("cut", retryable=True, again=True) from None

    def _parsed(self, received: bytes) -> list[Any]:
        try:
            return self._events.feed(received)
        except ValueError:
            raise UpstreamFailedError("garbage", retryable=True, again=True) from None

    def _text(self, event: Any) -> str:
        """Return the text of an event, empty if it has none, and keep its usage and its end."""
        try:
            if event.get("error"):
                raise UpstreamFailedError("upstream_error", retryable=True, again=True)
            if usage := event.get("usage"):
                self._usage = Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
            if not (choices := event.get("choices")):
                return ""
            self._finished = self._finished or choices[0].get("finish_reason") is not None
            text = (choices[0].get("delta") or {}).get("content") or ""
        except GARBAGE:
            raise UpstreamFailedError("garbage", retryable=True, again=True) from None
        if not isinstance(text, str):
            raise UpstreamFailedError("garbage", retryable=True, again=True)
        return text

    def _check_end(self) -> None:
        if not (self._finished or self._events.done):
            raise UpstreamFailedError("cut", retryable=True, again=True)
        if not self.mouth.said:
            raise UpstreamFailedError("empty", retryable=True, again=True)

    async def _breathe(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let others run: a fast endpoint fills the buffer, and reading from a full buffer never waits."""
        if loop.time() - self._breath > BREATH_SECONDS:
            await asyncio.sleep(0)
            self._breath = loop.time()


def _as_dict(message: ChatMessage) -> dict[str, str]:
    return {"role": message.role, "content": message.content}

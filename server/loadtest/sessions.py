"""The sessions of a test, made and ended by REST."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final, Self

import aiohttp

from server.loadtest.plan import Plan, Trouble, trouble_of

AT_ONCE: Final = 16
ANSWER_SECONDS: Final = 30.0


class Sessions:
    """`async with Sessions(plan) as sessions:` has asked whether a server is there."""

    def __init__(self, plan: Plan) -> None:
        """Take the server and who asks."""
        self._plan = plan
        headers = {"Authorization": f"Bearer {plan.token}"} if plan.token else {}
        self._http = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            connector=aiohttp.TCPConnector(limit=AT_ONCE),
        )

    async def create(self, count: int) -> list[str]:
        """Return the ids of new sessions."""
        body = {"name": "Load test", "max_users": self._plan.people}
        if not self._plan.spirit:
            body["spirit"] = {"answers": "never"}
        made = await asyncio.gather(*(self._call("POST", "/api/sessions", body) for _ in range(count)))
        return [session["data"]["id"] for session in made]

    async def end(self, ids: Sequence[str]) -> None:
        """End sessions; the server removes them by its `SESSION_RETENTION`."""
        await asyncio.gather(*(self._call("DELETE", f"/api/sessions/{id_}") for id_ in ids))

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        url = self._plan.url.rstrip("/") + path
        try:
            async with self._http.request(method, url, json=body) as answer:
                said = json.loads(await answer.read())
                if answer.ok:
                    return said
                error = said["error"]
                raise trouble_of(error["code"], error["message"], token=bool(self._plan.token))
        except aiohttp.ClientConnectionError as error:
            raise Trouble(f"nobody answers at {self._plan.url}: {error}") from None
        except TimeoutError:
            raise Trouble(f"{self._plan.url} does not answer within {ANSWER_SECONDS:g} s") from None
        except (ValueError, KeyError, TypeError):
            raise Trouble(
                f"{self._plan.url} is no Séance server: {method} {path} is not answered as one does"
            ) from None

    async def __aenter__(self) -> Self:
        try:
            await self._call("GET", "/health/live")
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

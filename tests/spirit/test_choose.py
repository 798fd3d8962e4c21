"""The voice that the settings ask for."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from server.spirit import Endpoint, make_provider


async def test_each_kind_has_its_voice() -> None:
    ouija = make_provider("ouija")
    assert ouija is not None
    assert ouija.name == "ouija"
    assert make_provider("none") is None
    spare = Endpoint("http://127.0.0.1:2/v1", "ghost-2")
    model = await asyncio.to_thread(
        make_provider, "openai", base_url="http://127.0.0.1:1/v1", model="ghost-1", fallback=spare
    )
    assert model is not None
    assert model.name == "openai"
    await model.aclose()


def test_the_sdk_is_not_imported_for_the_offline_spirit() -> None:
    code = "import sys; from server.spirit import make_provider; make_provider('ouija'); print('openai' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"

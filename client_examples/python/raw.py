"""The plain WebSocket, frame by frame: python raw.py [--session ID] [--url http://localhost:8000] ["text"]."""

import argparse
import asyncio
import json

import aiohttp

FRAME_SECONDS = 60


async def create_session(http_client: aiohttp.ClientSession) -> str:
    async with http_client.post("/api/sessions", json={"name": "Raw frames"}) as response:
        answer = await response.json()
    if not answer["success"]:
        raise SystemExit(f"{answer['error']['code']}: {answer['error']['message']}")
    return str(answer["data"]["id"])


async def talk(url: str, session: str | None, text: str) -> None:
    async with aiohttp.ClientSession(url) as http_client:
        session = session or await create_session(http_client)
        async with http_client.ws_connect(f"/ws/{session}") as ws:
            # The first frame says who one is; nothing is answered unless it is refused.
            await ws.send_json({"user_id": "test-user-1", "name": "Test User"})
            await ws.send_json({"event": "send_message", "data": {"user_name": "Test User", "message": text}})
            # First comes message_received, then spirit_thinking, then what the spirit says.
            while True:
                frame = await ws.receive(FRAME_SECONDS)
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    raise SystemExit(f"closed with code {ws.close_code}")
                said = json.loads(frame.data)
                print(said["event"], json.dumps(said["data"], ensure_ascii=False))
                if said["event"] == "spirit_finished":
                    return


def main() -> None:
    parser = argparse.ArgumentParser(description="Talk over a plain WebSocket.")
    parser.add_argument("text", nargs="?", default="Is anybody there?")
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--session", help="the id of a session; without it a new one is made")
    options = parser.parse_args()
    asyncio.run(talk(options.url, options.session, options.text))


if __name__ == "__main__":
    main()

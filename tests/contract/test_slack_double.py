"""The double of Slack as a process of its own, for tests that drive the whole program."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp

DOUBLE = Path(__file__).parent.parent / "doubles" / "slack.py"


async def test_it_runs_as_a_process_and_is_driven_over_http() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DOUBLE), "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    url = (await process.stdout.readline()).decode().strip()
    control = url.replace("/api/", "/_control/")
    headers = {"Authorization": "Bearer xoxb-double"}
    try:
        async with aiohttp.ClientSession(headers=headers) as session:
            fault = {"method": "chat.postMessage", "kind": "status", "status": 500, "times": 2}
            await session.post(control + "fault", json=fault)
            for expected in (500, 500, 200):
                answer = await session.post(url + "chat.postMessage", json={"channel": "C1", "text": "hi"})
                assert answer.status == expected
            assert [m["text"] for m in (await (await session.get(control + "messages")).json())["C1"]] == ["hi"]
            nobody = await session.post(control + "slash", json={"command": "/incident", "text": "list"})
            assert (nobody.status, (await nobody.json())["error"]) == (409, "dispatch_failed")
    finally:
        process.terminate()
        await process.wait()

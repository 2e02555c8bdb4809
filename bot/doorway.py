"""Where the page is served: opened, and moved to where new settings say."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp.web import Application, AppRunner, TCPSite

from bot.config.settings import Settings
from bot.ports import Refused
from bot.web.site import runner


class Doorway:
    """One server at a time. `site` makes what it serves by the settings; `address` is where it is reached."""

    def __init__(self, site: Callable[[Settings], Application]) -> None:
        self.address = ""
        self.served: AppRunner | None = None
        self._site = site

    async def open(self, settings: Settings) -> None:
        """Serve the page.

        Raises:
            Refused: nothing can listen there.
        """
        host, port = settings.web.listen_host, settings.web.listen_port
        served = runner(self._site(settings))
        await served.setup()
        listener = TCPSite(served, host, port)
        try:
            await listener.start()
        except OSError as exc:
            await served.cleanup()
            raise Refused(f"cannot listen on {host}:{port}: {exc.strerror}. Change web.listen in the config.") from exc
        host, port = served.addresses[0][:2]
        self.served, self.address = served, f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def move(self, old: Settings, new: Settings) -> None:
        """Serve by the new settings; at the same address the old server must go first, and may come back.

        Raises:
            Refused: nothing can listen there; all is as it was.
        """
        if new.web == old.web:
            return
        before = self.served
        here = (old.web.listen_host, old.web.listen_port) == (new.web.listen_host, new.web.listen_port)
        if here:
            await self.close()
        try:
            await self.open(new)
        except Refused:
            if here:
                await self.open(old)
            raise
        if not here and before is not None:
            await before.cleanup()

    async def close(self) -> None:
        """Serve nobody any more."""
        if self.served is not None:
            await self.served.cleanup()

"""Read a configuration: one call, which answers settings or every reason why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from collections.abc import Mapping as Environ
from pathlib import Path
from types import MappingProxyType

from bot.config import models, names, warnings
from bot.config.calendars import public
from bot.config.errors import Findings, Misconfigured, Place, Problem
from bot.config.explain import validate
from bot.config.gather import gather
from bot.config.holidays import Holiday
from bot.config.layers import BUILT_IN_NAME, completed, layered
from bot.config.nodes import Mapping, Node, Scalar, below, pairs
from bot.config.scalars import Reader
from bot.config.settings import Channel, LevelRule, Route, ServiceSettings, Settings, Token, Web, Window
from bot.core.grouping import Rule
from bot.core.holidays import Calendar, Days, own
from bot.core.model import Policy
from bot.core.quiet import DAYS, Quiet
from bot.core.trust import Trust


def read(path: Path, environ: Environ[str, str] | None = None) -> Settings:
    """The settings in a file, with what it includes; variables come from `environ` (the process's own if None).

    Raises:
        Misconfigured: with every problem of every file, in their order.
    """
    reader = Reader(os.environ if environ is None else environ, path.parent, Findings())
    reader.files.append(path)
    root = completed(gather(path, reader))
    tree = layered(root, reader)
    names.check(root, reader)
    file = validate(models.File, tree, reader.data(tree), reader.findings)
    if file is None or reader.findings.errors:
        raise Misconfigured(sorted(reader.findings.errors, key=_order(path)))
    warnings.look(root, file, reader)
    return _settings(path, file, tree, reader)


def _order(path: Path) -> Callable[[Problem], tuple[bool, Problem]]:
    return lambda problem: (problem.place.file != str(path), problem)


def _settings(path: Path, file: models.File, tree: Mapping, reader: Reader) -> Settings:
    return Settings(
        path=path,
        data=path.parent / file.data,
        web=_web(file.web),
        tick=file.tick,
        levels=tuple(file.levels),
        chats=MappingProxyType(file.chats),
        channels=MappingProxyType(
            {
                name: Channel(
                    chat=c.chat,
                    channel=c.channel,
                    mention=MappingProxyType(c.mention),
                    quiet=tuple(map(_quiet, c.quiet)),
                )
                for name, c in file.channels.items()
            }
        ),
        services=MappingProxyType(
            {id_: _service(id_, one, below(tree, "services", id_), file, path) for id_, one in file.services.items()}
        ),
        files=tuple(dict.fromkeys(reader.files)),
        deadman=file.deadman.url if file.deadman else "",
        trust=Trust(**file.report_trust.model_dump()),
        canaries=tuple(file.canaries),
        grouping=Rule(services=file.grouping.services, within=file.grouping.within) if file.grouping else None,
        new_key_every=file.privacy.new_key_every,
        warnings=tuple(sorted(reader.findings.warnings, key=_order(path))),
    )


def _web(web: models.Web) -> Web:
    return Web(
        listen_host=web.listen.host,
        listen_port=web.listen.port,
        public_url=web.public_url,
        tokens=tuple(Token(name=t.name, secret=t.secret, scopes=frozenset(t.scopes)) for t in web.tokens),
        trusted_proxies=tuple(web.trusted_proxies),
    )


def _quiet(hours: models.Quiet) -> Quiet:
    days = frozenset(map(DAYS.index, hours.days or DAYS))
    return Quiet(start=hours.from_, end=hours.to, zone=hours.zone, days=days, unless=hours.unless or "")


def _service(id_: str, service: models.Service, node: Node | None, file: models.File, path: Path) -> ServiceSettings:
    name = service.name or id_
    routes = service.tell if service.tell is not None else [models.Route(channel=c) for c in file.channels]
    ladder = pairs(below(node, "levels"))
    return ServiceSettings(
        id=id_,
        name=name,
        aliases=tuple(service.aliases),
        words=tuple(service.words),
        levels=tuple(_rule(key, service.levels[key.text], path) for key, _ in ladder),
        policy=_policy(name, service.policy, tuple(key.text for key, _ in ladder)),
        one_voice=service.one_voice,
        watches=MappingProxyType(service.watch),
        tell=tuple(
            Route(channel=r.channel, from_level=r.from_ or "", evidence=frozenset(r.evidence or ())) for r in routes
        ),
        depends_on=tuple(service.depends_on),
        maintenance=tuple(
            Window(start=w.from_, cron=w.cron or "", lasts=w.for_, zone=w.zone) for w in service.maintenance
        ),
        holidays=Calendar(tuple(map(_holidays, service.holidays))),
    )


def _holidays(one: Holiday) -> Days:
    if one.from_ is None:
        return public(one.country or "")
    return own(one.from_, one.to or one.from_, one.zone)


def _rule(key: Scalar, level: models.Level, path: Path) -> LevelRule:
    return LevelRule(
        name=key.text,
        reports=level.reports,
        within=level.within,
        times=level.times,
        alarms_per_month=level.alarms,
        line=_cited(key.place, path),
    )


def _cited(place: Place, path: Path) -> str:
    """A line as a thread names it, from the folder of the configuration: `config.yaml:41`."""
    file = Path(place.file)
    near = file.relative_to(path.parent) if file.is_relative_to(path.parent) else file
    return f"{near}:{place.line}" if place.file != BUILT_IN_NAME else BUILT_IN_NAME


def _policy(name: str, policy: models.Policy, levels: tuple[str, ...]) -> Policy:
    return Policy(
        name=name,
        levels=levels,
        open_at=policy.open_at or levels[0],
        confirm_for=policy.confirm_for,
        quiet_for=policy.quiet_for,
        reopen_for=policy.reopen_for,
        remind_every=policy.remind_every,
    )

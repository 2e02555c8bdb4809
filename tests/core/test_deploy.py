"""What the container and the unit promise, read from their files: no engine is needed to see it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.commands.check import check

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRET = re.compile(r"(?i)(token|secret|password|key)\s*[=:]\s*[^\s$\"'{]|xox[a-z]-|xapp-")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, lines joined and comments left out."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(n for n, (name, _) in enumerate(found) if name == "FROM") :]


def said(name: str) -> list[str]:
    return [rest for each, rest in last_stage() if each == name]


def composed() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["tocsin"])


def unit() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "tocsin.service").read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_the_image_runs_as_a_user_without_rights(prove):
    assert said("USER") == ["10001:10001"]
    names = [name for name, _ in last_stage()]
    assert names.index("USER") > max(n for n, name in enumerate(names) if name in ("RUN", "COPY"))
    prove("R53", 1, [], "lines of the Dockerfile: it runs as uid 10001")


def test_the_image_asks_the_program_itself_for_its_health():
    [health] = said("HEALTHCHECK")
    assert json.loads(health.partition("CMD ")[2]) == ["tocsin", "health"]


def test_the_image_starts_the_program_without_a_shell():
    assert [json.loads(rest) for rest in said("ENTRYPOINT") + said("CMD")] == [["tocsin"], ["run"]]


def test_only_the_data_folder_is_written(prove):
    assert said("VOLUME") == ["/data"]
    assert composed()["read_only"] is True
    assert composed()["tmpfs"] == ["/tmp:rw,noexec,nosuid,nodev,size=64m"]
    assert "data: /data\n" in (DEPLOY / "config.yaml").read_text()
    prove("R53", 4, [], "settings by which only the data folder is written")


def test_the_image_is_built_from_the_lock_file_with_the_uv_of_the_makefile(prove):
    syncs = [rest for name, rest in instructions() if name == "RUN" and "uv sync" in rest]
    assert syncs
    assert all("--frozen" in sync and "--no-dev" in sync for sync in syncs)
    [version] = [rest for name, rest in instructions() if name == "ARG"]
    made = re.search(r"^UV_VERSION := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made
    assert version == f"UV_VERSION={made[1]}"
    prove("R54", 1, [], "images built from the lock file alone (read from the file)")


def test_the_image_uses_a_python_that_the_program_takes():
    bases = {rest.split()[0] for name, rest in instructions() if name == "FROM"}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.1[1-9]-slim", bases.pop())


def test_the_versions_agree():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f'version="{version}"' in said("LABEL")[0]
    assert composed()["image"] == f"tocsin:{version}"
    assert f"\n## {version} - " in (ROOT / "CHANGELOG.md").read_text()


def copied() -> list[str]:
    sources = [rest.split()[:-1] for name, rest in instructions() if name == "COPY" and not rest.startswith("--from")]
    return [path for row in sources for path in row]


@pytest.mark.parametrize("path", copied())
def test_what_is_copied_exists_and_is_let_into_the_build(path: str):
    assert (ROOT / path).exists()
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert f"!{path}" in ignore


def test_nothing_else_is_let_into_the_build():
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert ignore[0] == "*"
    assert {line[1:] for line in ignore if line.startswith("!")} == {*copied(), "deploy"}
    assert "deploy/*" in ignore


@pytest.mark.parametrize("path", ["Dockerfile", *(f"deploy/{file.name}" for file in DEPLOY.iterdir())])
def test_no_secret_is_written_down(path: str):
    lines = re.sub(r"\$\{[^}]*\}", "", (ROOT / path).read_text()).splitlines()
    assert [line for line in lines if SECRET.search(line) and not line.lstrip().startswith("#")] == []


def test_no_tool_is_put_into_the_image_that_only_an_intruder_would_use():
    assert not any(word in rest for _, rest in last_stage() for word in ("curl", "wget", "apt-get", "sudo"))


def test_the_composed_container_can_do_nothing_else(prove):
    service = composed()
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ports"] == ["127.0.0.1:8080:8080"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices"}
    prove("R53", 1, [], "composed containers without capabilities, read-only (read from the file, no image is built)")


def test_the_configuration_of_the_container_is_right(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOCSIN_TOKEN", "a-long-random-string")
    assert check(DEPLOY / "config.yaml", as_json=False) == 0


def test_every_variable_of_the_containers_configuration_is_handed_in():
    asked = set(re.findall(r"\$\{(\w+)\}", (DEPLOY / "config.yaml").read_text()))
    assert asked <= composed()["environment"].keys()


def test_the_unit_waits_until_it_is_ready_and_is_watched():
    found = unit()
    assert (found["Type"], found["NotifyAccess"]) == (["notify"], ["main"])
    assert found["WatchdogSec"]
    assert found["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    source = (ROOT / "bot/commands/run.py").read_text()
    assert all(f'"{word}"' in source for word in ("READY=1", "WATCHDOG=1", "STOPPING=1"))
    assert "signal.SIGHUP" in source


def test_the_unit_is_hardened():
    found = unit()
    for switch in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome", "DynamicUser", "LockPersonality"):
        assert found[switch] == ["yes"], switch
    assert found["ProtectSystem"] == ["strict"]
    assert found["CapabilityBoundingSet"] == [""]
    assert found["SystemCallFilter"][0] == "@system-service"


def test_the_unit_does_not_start_a_wrong_configuration_again_and_again():
    assert "78" in unit()["RestartPreventExitStatus"][0].split()


def test_the_alerts_are_rules_that_say_what_to_do():
    [group] = yaml.safe_load((DEPLOY / "prometheus-alerts.yaml").read_text())["groups"]
    for rule in group["rules"]:
        assert rule.keys() - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert len(rule["annotations"]["description"]) > 40


def test_everything_that_is_not_ours_has_its_licence_beside_it():
    fonts = list((ROOT / "bot").rglob("*.ttf"))
    assert fonts
    assert all(list(font.parent.glob("*LICENSE*")) for font in fonts)
    assert all(str(font.relative_to(ROOT)) in (ROOT / "NOTICE").read_text() for font in fonts)
    vendored = [folder for folder in (ROOT / "bot").rglob("vendor") if folder.is_dir()]
    assert all(list(folder.glob("*LICENSE*")) for folder in vendored)

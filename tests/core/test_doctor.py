"""The doctor says what is wrong and how it is mended, and leaves nothing behind."""

import json
import socket

import pytest

from bot.commands.doctor import doctor

CONFIG = "data: {data}\nweb: {{listen: '127.0.0.1:{port}'}}\nservices: {{x: {{}}}}\n"


@pytest.fixture
def config(tmp_path):
    def written(data="data", port=0):
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(data=data, port=port))
        return path

    return written


def looked(path, capsys):
    code = doctor(path, as_json=True, environ={})
    return code, {f["what"]: f for f in json.loads(capsys.readouterr().out)}


def test_a_healthy_house_has_no_findings(config, capsys):
    code, found = looked(config(), capsys)
    assert code == 0
    assert {"Python", "SQLite", "configuration", "data folder", "page", "channel wall"} <= found.keys()
    assert not any(f["mend"] for f in found.values())


def test_a_folder_that_is_a_file_is_found(config, capsys, tmp_path):
    (tmp_path / "taken").write_text("")
    code, found = looked(config(data="taken"), capsys)
    assert code == 1
    assert "may write to" in found["data folder"]["mend"]


def test_a_port_that_is_taken_is_found(config, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, found = looked(config(port=taken.getsockname()[1]), capsys)
    assert code == 1
    assert "web.listen" in found["page"]["mend"]


def test_a_wrong_configuration_is_sent_to_check(tmp_path, capsys):
    path = tmp_path / "config.yaml"
    path.write_text("servces: {}\n")
    code, found = looked(path, capsys)
    assert code == 1
    assert "tocsin check" in found["configuration"]["mend"]


def test_people_read_lines(config, capsys):
    assert doctor(config(), environ={}) == 0
    assert "ok  configuration: " in capsys.readouterr().out

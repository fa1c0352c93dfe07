"""docker-compose.yml tells the servers what the local runtime tells them."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from services.cli.main import app
from services.runtime import compose, jars, kafka, postgres

# What a container needs otherwise: its own listener for the host, and roles under which the services and the host reach it.
KAFKA_OTHERWISE = {"controller.listener.names", "inter.broker.listener.name", "node.id", "process.roles"}
# What the image sets itself, or what only a process of this machine needs.
POSTGRES_OTHERWISE = {"listen_addresses", "unix_socket_permissions", "password_encryption", "log_line_prefix"}
DEFAULTS = {"max_connections": "100", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_compression": "off", "deadlock_timeout": "1s"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    with compose.FILE.open(encoding="utf-8") as file:
        found: dict[str, Any] = YAML(typ="safe").load(file)["services"]
    return found


def test_the_images_are_the_versions_of_the_local_runtime(services: dict[str, Any]) -> None:
    assert services["kafka"]["image"] == f"apache/kafka:{jars.KAFKA_VERSION}"
    assert services["postgres"]["image"] == "postgres:18"


@pytest.mark.parametrize("name", sorted(kafka.SETTINGS.keys() - KAFKA_OTHERWISE))
def test_kafka_is_told_the_same(services: dict[str, Any], name: str) -> None:
    assert services["kafka"]["environment"][f"KAFKA_{name.replace('.', '_').upper()}"] == kafka.SETTINGS[name]


def test_postgres_is_told_the_same(services: dict[str, Any]) -> None:
    told = dict(word.removeprefix("-c").split("=", 1) for word in services["postgres"]["command"][1:])
    wanted = {name: value for name, value in postgres.SETTINGS.items() if name not in POSTGRES_OTHERWISE}
    assert {**DEFAULTS, **told} == wanted
    assert services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split() == list(postgres.INITDB)


def test_only_this_machine_can_reach_the_ports(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_each_service_of_the_house_is_a_command_with_all_the_words_it_needs(services: dict[str, Any]) -> None:
    commands = [service["command"] for service in services.values() if service.get("command", [""])[0] == "clh"]
    assert len(commands) == 4
    for _, *words in commands:
        command: Any = get_command(app)
        for word in words:
            command = command.commands[word]
        assert [parameter.name for parameter in command.params if parameter.required] == []

"""docker-compose.yml tells the servers what the local runtime tells them."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.main import get_command

from services.cli.main import app
from services.runtime import compose, jars, kafka, postgres
from services.settings import Settings
from tests.unit.test_docs_commands import complaint

# What a container needs otherwise: its own listener for the host, and roles under which the services and the host reach it.
KAFKA_OTHERWISE = {"controller.listener.names", "inter.broker.listener.name", "node.id", "process.roles"}
# What the image sets itself, or what only a process of this machine needs.
POSTGRES_OTHERWISE = {"listen_addresses", "unix_socket_permissions", "password_encryption", "log_line_prefix"}
DEFAULTS = {"max_connections": "100", "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "wal_compression": "off", "deadlock_timeout": "1s"}


ROOT = compose.FILE.parent
PAGE = ROOT / "docs" / "how-to" / "run-in-containers.md"
OPTIONS_WITH_A_WORD = {"--volume", "--file"}


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


@pytest.mark.parametrize("name", ["seal.yml", "senders.yml"])
def test_a_key_goes_to_a_service_that_is_there_in_a_file_that_it_is_told_of_and_only_reads(services: dict[str, Any], name: str) -> None:
    with (ROOT / "deploy" / name).open(encoding="utf-8") as file:
        ((service, added),) = YAML(typ="safe").load(file)["services"].items()
    assert service in services
    ((variable, path),) = added["environment"].items()
    assert variable.removeprefix("CLH_").lower() in Settings.model_fields
    (volume,) = added["volumes"]
    assert re.fullmatch(rf"\$\{{{variable}:\?[^}}]+\}}:{path}:ro", volume)
    assert variable not in services[service]["environment"]


def compose_calls() -> list[list[str]]:
    """The words behind `docker compose` in the how-to, without what goes before the command and where output goes."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [
        shlex.split(line.partition("docker compose ")[2].partition(" < ")[0]) for block in blocks for line in block.splitlines() if "docker compose " in line
    ]


def without_options(words: list[str]) -> list[str]:
    """What is left when the options at the beginning are taken off."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        del rest[: 2 if rest[0] in OPTIONS_WITH_A_WORD else 1]
    return rest


def test_what_the_how_to_runs_in_containers_are_services_and_commands_that_are_there(services: dict[str, Any]) -> None:
    inside = [without_options(rest[1:]) for rest in map(without_options, compose_calls()) if rest[0] in {"exec", "run"}]
    assert len(inside) >= 5
    for service, clh, *words in inside:
        assert service in services
        assert clh == "clh"
        assert complaint(words) is None, words


def test_the_files_that_the_how_to_lays_over_are_there() -> None:
    named = [Path(after) for words in compose_calls() for option, after in itertools.pairwise(words) if option == "--file"]
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []

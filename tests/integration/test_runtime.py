"""The local runtime does what `clh dev` promises: side by side, nothing left, nothing lost."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from typer.testing import CliRunner

from services.cli.main import app
from services.runtime.doctor import Verdict, examine
from services.runtime.errors import DamagedError, NotRunningError
from services.runtime.local import ALL, Addresses, Instance, Server, ensure
from services.runtime.process import ended_within

pytestmark = pytest.mark.timeout(180)


OWNER = """
import signal, sys
from pathlib import Path
from services.runtime.local import ensure
ensure(Path(sys.argv[1]), owned=True)
print("up", flush=True)
signal.pause()
"""


def processes_of(state_dir: Path) -> list[psutil.Process]:
    """All processes whose command line names the folder, those apart that have ended and wait to be collected."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(state_dir) in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def create_topic(bootstrap: str, name: str) -> None:
    client = AdminClient({"bootstrap.servers": bootstrap})  # has to live until the answer is there
    client.create_topics([NewTopic(name, 1, 1)])[name].result(30)


def publish(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "message.max.bytes": 4_000_000})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def first_record(bootstrap: str, topic: str) -> bytes:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        value = message.value()
        assert value is not None
        return value
    finally:
        consumer.close()


def test_two_instances_run_side_by_side_and_do_not_see_each_other(tmp_path: Path) -> None:
    one, two = Instance(tmp_path / "one", owned=True), Instance(tmp_path / "two", owned=True)
    try:
        first, second = one.up(), two.up()
        with psycopg.connect(first.postgres_uri, autocommit=True) as connection:
            connection.execute("CREATE TABLE only_here (x int)")
        create_topic(first.kafka_bootstrap, "only-here")
        with psycopg.connect(second.postgres_uri) as connection:
            row = connection.execute("SELECT to_regclass('only_here') IS NULL").fetchone()
        assert row == (True,)
        assert "only-here" not in AdminClient({"bootstrap.servers": second.kafka_bootstrap}).list_topics(timeout=10).topics
        assert one.up() == first, "a second up uses what runs"
    finally:
        one.down(at_once=True)
        two.down(at_once=True)


def test_down_leaves_no_process_no_pid_file_and_no_socket(instance: Instance) -> None:
    instance.up()
    assert {server for server in ALL if instance.running(server)} == set(ALL)
    assert instance.down() == ALL
    assert processes_of(instance.root) == []
    assert list(instance.state.run.glob("*.pid")) == []
    assert not instance.state.sockets.exists()
    assert instance.down() == (), "a second down finds nothing to do"


@pytest.mark.parametrize("moment", ["while starting", "when both answer"])
def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path, moment: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLH_")}
    with subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path / "clh")], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout is not None
        if moment == "when both answer":
            assert owner.stdout.readline() == b"up\n"
        else:
            pid_file = tmp_path / "clh" / "run" / "postgres.pid"
            while not pid_file.exists():
                assert owner.poll() is None
        owner.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while processes_of(tmp_path / "clh"):
        assert time.monotonic() < deadline, processes_of(tmp_path / "clh")


@pytest.mark.parametrize("crash", [False, True], ids=["in good order", "by a crash"])
def test_restart_keeps_data_and_addresses(instance: Instance, crash: bool) -> None:
    before = instance.up()
    with psycopg.connect(before.postgres_uri) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS x")
    create_topic(before.kafka_bootstrap, "kept")
    publish(before.kafka_bootstrap, "kept", b"hello")
    if crash:
        instance.kill_postgres()
        instance.kill_kafka()
        instance.start_postgres()
        instance.start_kafka()
    else:
        instance.restart_postgres()
        instance.restart_kafka()
    assert instance.addresses == before
    with psycopg.connect(before.postgres_uri) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (42,)
    assert first_record(before.kafka_bootstrap, "kept") == b"hello"


def test_an_owned_instance_lives_as_long_as_its_owner_though_nobody_holds_the_object(tmp_path: Path) -> None:
    ensure(tmp_path / "clh", owned=True)
    gc.collect()
    try:
        server = Instance(tmp_path / "clh").daemon(Server.POSTGRES).process()
        assert server is not None
        assert not ended_within(server, 3)
    finally:
        Instance(tmp_path / "clh").down(at_once=True)


def test_a_port_that_another_program_took_is_exchanged(instance: Instance) -> None:
    before = instance.up(servers=(Server.POSTGRES,))
    instance.down()
    record = instance.state.record()
    assert record is not None
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", record.postgres_port))
        thief.listen()
        after = instance.up(servers=(Server.POSTGRES,))
    assert after.postgres_uri != before.postgres_uri


def test_doctor_finds_a_stale_pid_file_and_removes_it(instance: Instance) -> None:
    instance.state.make()
    pid_file = instance.state.run / "kafka.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    finding = next(f for f in examine(instance) if f.check == "Kafka, pid file")
    assert finding.verdict is Verdict.NOTE
    assert "stale" in finding.found
    assert not pid_file.exists()
    assert psutil.pid_exists(os.getpid()), "the process that has the number now is not ours to end"


def test_doctor_finds_a_server_without_pid_file_and_down_ends_it(instance: Instance) -> None:
    instance.up(servers=(Server.POSTGRES,))
    (instance.state.run / "postgres.pid").unlink()
    finding = next(f for f in examine(instance) if f.check == "PostgreSQL, orphans")
    assert finding.verdict is Verdict.WRONG
    assert instance.down() == (Server.POSTGRES,)
    assert processes_of(instance.root) == []


def test_doctor_looks_at_the_addresses_of_the_environment_instead_of_the_local_servers(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", "postgresql://clh:secret@127.0.0.1:1/books")
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    findings = examine(instance)
    wrong = {finding.check for finding in findings if finding.verdict is Verdict.WRONG}
    assert wrong == {"CLH_POSTGRES_URI", "CLH_KAFKA_BOOTSTRAP"}
    assert "secret" not in str(findings)


def test_a_damaged_record_is_said_and_reset_mends_it(instance: Instance) -> None:
    instance.state.make()
    instance.state.record_file.write_text('{"kafka_port": "soon"}')
    with pytest.raises(DamagedError, match="clh dev reset"):
        instance.up()
    instance.reset()
    assert instance.state.record() is None


def test_addresses_of_an_instance_never_started_are_an_error(instance: Instance) -> None:
    with pytest.raises(NotRunningError, match="clh dev up"):
        _ = instance.addresses


def test_the_environment_comes_first_and_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", "postgresql://elsewhere/books")
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", "elsewhere:9092")
    assert ensure(tmp_path / "clh") == Addresses("postgresql://elsewhere/books", "elsewhere:9092")
    assert not (tmp_path / "clh").exists()


def test_the_password_is_for_the_owner_only(instance: Instance) -> None:
    instance.up(servers=(Server.POSTGRES,))
    assert (instance.root / "password").stat().st_mode & 0o777 == 0o600
    without = instance.addresses.postgres_uri.replace(instance.state.password(), "guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(without)


def test_the_books_are_safe_and_two_megabytes_get_through(addresses: Addresses) -> None:
    with psycopg.connect(addresses.postgres_uri) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == ("on",)
        major = connection.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone()
    assert major == (18,)
    create_topic(addresses.kafka_bootstrap, "two-megabytes")
    publish(addresses.kafka_bootstrap, "two-megabytes", b"x" * 2_000_000)
    assert len(first_record(addresses.kafka_bootstrap, "two-megabytes")) == 2_000_000


def test_an_interrupted_start_leaves_nothing_behind(tmp_path: Path) -> None:
    up = subprocess.Popen((sys.executable, "-m", "services.cli", "dev", "up", "--state-dir", str(tmp_path / "clh")), stderr=subprocess.PIPE, text=True)
    try:
        while not (tmp_path / "clh" / "instance.json").exists():
            time.sleep(0.02)
        up.send_signal(signal.SIGINT)
        said = up.communicate(timeout=110)[1]
        assert (up.returncode, "what had been started was stopped again" in " ".join(said.split())) == (1, True), said
        assert not any(server.pid for server in Instance(tmp_path / "clh").status())
    finally:
        Instance(tmp_path / "clh").down(at_once=True)


def test_the_command_line_goes_up_tells_and_goes_down(tmp_path: Path) -> None:
    run = CliRunner().invoke
    where = ["--state-dir", str(tmp_path / "clh")]
    try:
        assert run(app, ["dev", "status", *where]).exit_code == 3
        up = run(app, ["dev", "up", *where, "--output", "json"])
        assert up.exit_code == 0, up.output
        assert [server["answers"] for server in json.loads(up.stdout)["servers"]] == [True, True]
        assert run(app, ["dev", "status", *where]).exit_code == 0
        assert "export CLH_KAFKA_BOOTSTRAP=127.0.0.1:" in run(app, ["dev", "env", *where]).stdout
        assert set(json.loads(run(app, ["dev", "env", *where, "--output", "json"]).stdout)) == {"CLH_KAFKA_BOOTSTRAP", "CLH_POSTGRES_URI"}
        doctor = run(app, ["dev", "doctor", *where, "-o", "json"])
        assert doctor.exit_code == 0, doctor.output
        house = {**os.environ, "CLH_STATE_DIR": str(tmp_path / "clh"), "CLH_POSTGRES_URI": "", "CLH_KAFKA_BOOTSTRAP": ""}
        with subprocess.Popen((sys.executable, "-m", "services.cli", "run", "cron"), env=house, stderr=subprocess.PIPE) as cron:
            assert cron.stderr is not None
            assert b"the clock of the nights runs" in cron.stderr.readline()
            down = run(app, ["dev", "down", *where])
            assert "stopped: postgres, kafka" in down.stdout
            assert f"clh run cron (process {cron.pid})" in down.stderr
            cron.kill()
        assert "still running" not in run(app, ["dev", "down", *where]).stderr
        gone = run(app, ["dev", "reset", *where, "--yes", "--output", "json"])
        assert (gone.exit_code, set(json.loads(gone.stdout))) == (0, {"removed"})
        assert not (tmp_path / "clh").exists()
    finally:
        Instance(tmp_path / "clh").down(at_once=True)

"""Apache Kafka in KRaft mode, one node that is broker and controller: formatted, started, asked until it answers, stopped."""

from __future__ import annotations

import base64
import logging
import shutil
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.runtime import jars
from services.runtime.errors import PortTakenError, ServerDidNotStartError
from services.runtime.process import Daemon, ended_within
from services.runtime.progress import Progress
from services.runtime.state import Record, StateDir

START_S = 120
STOP_S = 30
RECORD_BYTES_MAX = 4 * 1024 * 1024  # a 2 MB record has to get through, since refusing it is the processor's task

BROKER_OPTIONS = ("-Xmx512m", "-Xms128m", "-XX:+ExitOnOutOfMemoryError")

# One node: every internal topic has one replica. Small: one partition for what only tests and demos use.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "broker.session.timeout.ms": "3000",  # after a crash the new broker waits this long for the old one's session to end
    "broker.heartbeat.interval.ms": "500",
    "group.min.session.timeout.ms": "1000",
    "log.message.timestamp.type": "LogAppendTime",  # windows are cut by the broker's time
    "log.retention.hours": "-1",  # topics say themselves how long they keep
    "log.segment.delete.delay.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "message.max.bytes": str(RECORD_BYTES_MAX),
    "replica.fetch.max.bytes": str(RECORD_BYTES_MAX),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
}

_NO_LOG = logging.getLogger("clh.runtime.kafka-probe")  # while Kafka starts, a refused connection is no news
_NO_LOG.disabled = True

LOG4J = """\
Configuration:
  status: error
  Appenders:
    Console:
      name: out
      PatternLayout:
        pattern: "%d{ISO8601} %-5p %c{1} - %m%n"
  Loggers:
    Root:
      level: {level}
      AppenderRef:
        ref: out
    Logger:
      - name: org.apache.kafka.common.config.AbstractConfig
        level: warn
"""


@dataclass(frozen=True, slots=True)
class Kafka:
    """The Kafka of one instance."""

    state: StateDir

    @property
    def data(self) -> Path:
        return self.state.data / "kafka"

    @property
    def properties(self) -> Path:
        return self.state.run / "kafka.properties"

    @property
    def daemon(self) -> Daemon:
        return Daemon("Kafka", self.state.run / "kafka.pid", self.state.logs / "kafka.log", str(self.properties))

    def start(self, record: Record, lock_fd: int, progress: Progress) -> None:
        """Format the data folder if it is not, start the broker on the record's ports, and return when it gives metadata."""
        classpath = jars.classpath(progress)
        self._configure(record)
        if not (self.data / "meta.properties").exists():
            self._format(record, classpath)
        self.daemon.log_file.touch(mode=0o600)
        log_start = self.daemon.log_file.stat().st_size
        process = self.daemon.launch([*self._java(classpath, *BROKER_OPTIONS), "kafka.Kafka", str(self.properties)], lock_fd=lock_fd)
        self._await(process, record.kafka_port, log_start)

    def _java(self, classpath: str, *options: str) -> list[str]:
        """The command line up to the class; what is long is in a file beside, so that lists of processes stay readable."""
        lines = [*options, "-XX:+UseSerialGC", "-Djava.awt.headless=true", f"-Dlog4j2.configurationFile={self._log4j}", "-cp", classpath]
        arguments = self.state.run / "kafka.java"
        arguments.write_text("".join('"{}"\n'.format(line.replace("\\", "\\\\")) for line in lines), encoding="utf-8")
        return [str(jars.java_home() / "bin" / "java"), f"@{arguments}"]

    @property
    def _log4j(self) -> Path:
        return self.state.run / "log4j2.yaml"

    def _configure(self, record: Record) -> None:
        controller = f"127.0.0.1:{record.controller_port}"
        lines = {
            **SETTINGS,
            "listeners": f"PLAINTEXT://127.0.0.1:{record.kafka_port},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{record.kafka_port},CONTROLLER://{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self.data),
        }
        self.properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
        self._log4j.write_text(LOG4J.replace("{level}", "info"), encoding="utf-8")

    def _format(self, record: Record, classpath: str) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        command = self._java(classpath, "-Xmx256m", "-XX:TieredStopAtLevel=1")
        command += ["kafka.tools.StorageTool", "format", "--standalone", "-t", record.cluster_id, "-c", str(self.properties)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.daemon.log_file.write_text(done.stdout + done.stderr, encoding="utf-8")
            raise ServerDidNotStartError("Kafka", self.daemon.log_file, "its storage could not be formatted")

    def _await(self, process: psutil.Process, port: int, log_start: int) -> None:
        """Ask for metadata until the broker is in it. Between two questions the process is watched, so that its death is noticed at once."""
        deadline = time.monotonic() + START_S
        while not broker_answers(f"127.0.0.1:{port}", patience_s=0.5):
            if ended_within(process, 0.02):
                said = self.daemon.log_file.read_bytes()[log_start:]
                failure = PortTakenError if b"Address already in use" in said else ServerDidNotStartError
                raise failure("Kafka", self.daemon.log_file, "the process ended")
            if time.monotonic() > deadline:
                raise ServerDidNotStartError("Kafka", self.daemon.log_file, f"no metadata within {START_S} s")

    def stop(self, *, at_once: bool) -> bool:
        """Controlled shutdown; or, `at_once`, a crash. True: it was running."""
        return self.daemon.kill() if at_once else self.daemon.stop(signal.SIGTERM, patience_s=STOP_S)


def broker_answers(bootstrap: str, *, patience_s: float) -> bool:
    """Whether the cluster gives metadata that names a broker, within `patience_s`."""
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    quick = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50, "log_level": 0, "socket.connection.setup.timeout.ms": 1000}
    client = AdminClient({"bootstrap.servers": bootstrap, **quick}, logger=_NO_LOG)
    try:
        return bool(client.list_topics(timeout=patience_s).brokers)
    except KafkaException:
        return False


def new_cluster_id() -> str:
    """A random cluster id as Kafka writes it: a UUID in URL-safe base64 without padding, not beginning with a dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text

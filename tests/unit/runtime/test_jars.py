"""Kafka's jars are taken only if they are the ones that were chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.runtime import jars
from services.runtime.errors import DamagedError


def test_a_jar_that_is_not_the_one_chosen_is_refused_and_removed(tmp_path: Path) -> None:
    jar = tmp_path / "kafka-clients-4.3.1.jar"
    jar.write_bytes(b"something else")
    with pytest.raises(DamagedError, match=r"kafka-clients-4\.3\.1\.jar"):
        jars.check(jar, jars.known_hashes())
    assert not jar.exists()


def test_a_jar_that_nobody_named_is_refused(tmp_path: Path) -> None:
    jar = tmp_path / "stowaway-1.0.jar"
    jar.write_bytes(b"x")
    with pytest.raises(DamagedError, match="stowaway"):
        jars.check(jar, jars.known_hashes())


def test_every_kafka_jar_has_the_version_of_the_broker() -> None:
    names = [name for name in jars.known_hashes() if name.startswith("kafka-")]
    assert "kafka-clients-4.3.1.jar" in names
    assert all(name.endswith(f"-{jars.KAFKA_VERSION}.jar") for name in names)


def test_a_cache_from_which_a_jar_was_removed_counts_as_missing(tmp_path: Path) -> None:
    (tmp_path / "one.jar").touch()
    (tmp_path / "classpath.json").write_text(json.dumps(["one.jar", "two.jar"]))
    assert jars.cached(tmp_path) is None
    (tmp_path / "two.jar").touch()
    assert jars.cached(tmp_path) == [str(tmp_path / "one.jar"), str(tmp_path / "two.jar")]


def test_the_cache_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert jars.cache_dir().is_relative_to(tmp_path)

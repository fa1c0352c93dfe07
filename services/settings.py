"""The one place that reads the environment.

Everything else is handed its settings. A variable is the name below in capitals with `CLH_` before it: CLH_POSTGRES_URI, CLH_KAFKA_BOOTSTRAP …
Nothing is read from files by itself: what is set is seen in the environment.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What a process is told from outside. Empty variables count as unset."""

    model_config = SettingsConfigDict(env_prefix="CLH_", frozen=True, extra="ignore", env_ignore_empty=True)

    postgres_uri: str | None = Field(None, description="Where the books are, as a libpq URI; unset: the local instance.")
    kafka_bootstrap: str | None = Field(None, description="Where Kafka answers, as host:port[,host:port]; unset: the local instance.")
    state_dir: Path = Field(Path(".clh"), description="The folder of the local instance: data, logs, addresses.")
    sender_keys: Path | None = Field(None, description="A JSON file of the senders' keys; when set, every event must be signed by its sender.")
    seal_key: Path | None = Field(None, description="The house's private key, in PEM; when set, every night seals what it has cleared.")
    log_format: str = Field("text", pattern="^(text|json)$", description="How log lines look: text for people, json for machines.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="The least important log lines that are written.")
    test_docker: bool = Field(False, description="Tests start PostgreSQL and Kafka in containers, where an engine answers.")


def settings() -> Settings:
    """Read the environment now. Called once, at the edge of a process."""
    return Settings()

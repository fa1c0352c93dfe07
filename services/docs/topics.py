"""docs/reference/topics.md, from the topic catalogue."""

from __future__ import annotations

from schemas.topics import TOPICS, Topic
from services.docs.text import page as whole
from services.docs.text import plain, table

INTRODUCTION = (
    "Each programme has a set of topics of its own: its id and a dot stand before the names here, as in `harvest.partner.transactions.v1`. "
    "The time of a record is the broker's (LogAppendTime). *Exact*: unknown fields are refused, a change is a new version of the type. "
    "*Additive*: optional fields may come, readers pass over what they do not know."
)


def page() -> str:
    """The whole page."""
    overview = table(
        ("topic", "written by", "key", "what"), ((f"[{t.name}](#{t.name.replace('.', '')})", ", ".join(t.producers), t.key, t.description) for t in TOPICS)
    )
    return whole("Topics", INTRODUCTION, overview, *(_topic(topic) for topic in TOPICS))


def _topic(topic: Topic) -> str:
    kept = f"{topic.retention_days} days" + (", the latest of each key only" if topic.latest_only else "")
    types = ", ".join(f"[`{name}`](events.md#{name.replace('.', '')})" for name in topic.types)
    rows = (
        ("owner", topic.owner),
        ("written by", ", ".join(topic.producers)),
        ("read by", ", ".join(topic.consumers)),
        ("key", topic.key),
        ("partitions", str(topic.partitions)),
        ("kept", kept),
        ("compatibility", topic.compatibility),
        ("types", types or "not defined yet"),
    )
    return f"## {topic.name}\n\n{plain(topic.description)}\n\n" + table(("", ""), rows)

"""The topic catalogue is whole, and its examples are what it says."""

import pytest

from schemas.events import EVENT_TYPES
from schemas.events.answers import AccrualEvent, RejectionCode, RejectionEvent
from schemas.ids import ProgrammeId
from schemas.topics import INPUT_TOPICS, TOPIC_OF_TYPE, TOPICS, TOPICS_BY_NAME, Topic, example, topic_name


def test_the_topics_of_the_contract_are_there() -> None:
    assert set(TOPICS_BY_NAME) >= {
        "partner.transactions.v1",
        "bank.card-transactions.v1",
        "member.events.v1",
        "points.accruals.v1",
        "events.rejected.v1",
        "member.messages.v1",
        "clearing.events.v1",
    }
    assert len(TOPICS_BY_NAME) == len(TOPICS)


def test_every_type_that_comes_in_belongs_in_one_topic_that_is_booked_from() -> None:
    assert {name for name, topic in TOPIC_OF_TYPE.items() if topic in INPUT_TOPICS} == set(EVENT_TYPES)
    assert sum(len(topic.types) for topic in TOPICS) == len(TOPIC_OF_TYPE)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_has_an_example_of_each_of_its_types(topic: Topic) -> None:
    assert topic.examples == topic.types
    assert topic.partitions > 0
    assert topic.retention_days > 0
    for name in topic.examples:
        assert example(name)["type"] == name


def test_a_topic_bears_its_programmes_name() -> None:
    assert topic_name(ProgrammeId("harvest"), "partner.transactions.v1") == "harvest.partner.transactions.v1"
    assert topic_name(ProgrammeId("harvest"), TOPICS[1]) == "harvest.bank.card-transactions.v1"


def test_the_examples_of_answers_are_answers() -> None:
    accrual = AccrualEvent.model_validate(example("accrual.v1"))
    rejection = RejectionEvent.model_validate(example("rejection.v1"))
    assert accrual.data.effects[0].points == 16
    assert rejection.data.retryable is rejection.data.code.retryable


def test_only_what_lies_with_the_house_can_be_tried_again() -> None:
    assert {code.value for code in RejectionCode if code.retryable} == {"unknown-partner", "inactive-partner", "no-contract"}
    assert len(RejectionCode) == 21

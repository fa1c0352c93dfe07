"""A worker is stuck when nothing moves for too long while something waits, and never otherwise."""

from services.insights.liveness import Progress

AT = ("t", 0)
OTHER = ("t", 1)


def progress() -> Progress:
    return Progress(patience_s=60, at_s=0)


def test_a_worker_that_stands_still_behind_the_end_is_stuck() -> None:
    one = progress()
    assert one.stuck(0, {AT: 5}, {AT: 9}) == {}, "it moved: this is the first that is seen of it"
    assert one.stuck(59, {AT: 5}, {AT: 9}) == {}
    assert one.stuck(60, {AT: 5}, {AT: 9, OTHER: 0}) == {AT: 5}


def test_one_that_moves_is_not() -> None:
    one = progress()
    assert all(one.stuck(50 * step, {AT: step}, {AT: 99}) == {} for step in range(20))


def test_one_that_has_nothing_to_do_is_not() -> None:
    one = progress()
    assert all(one.stuck(50 * step, {AT: 5}, {AT: 5}) == {} for step in range(20))
    assert one.stuck(1000, {AT: 5}, {AT: 6}) == {}, "the time runs from when something came"
    assert one.stuck(1059, {AT: 5}, {AT: 6}) == {AT: 5}


def test_the_time_starts_anew_while_the_broker_does_not_answer() -> None:
    one = progress()
    one.stuck(0, {AT: 5}, {AT: 9})
    assert one.stuck(1000, {AT: 5}, None) == {}
    assert one.stuck(1059, {AT: 5}, {AT: 9}) == {}
    assert one.stuck(1060, {AT: 5}, {AT: 9}) == {AT: 5}

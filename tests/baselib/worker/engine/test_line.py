"""What waits, and in which order it is taken."""

from baselib.worker.engine.lease import Lease
from baselib.worker.engine.line import GroupedLine, StandardLine


def _leases(*names: str) -> list[Lease]:
    return [
        Lease({"MessageId": name, "Attributes": {"MessageGroupId": name.partition("/")[0]}}, 0.0, 60.0)
        for name in names
    ]


def _names(leases: list[Lease]) -> list[str]:
    return [lease.raw["MessageId"] for lease in leases]


def _grouped(*names: str) -> GroupedLine:
    line = GroupedLine()
    line.put(_leases(*names))
    return line


def test_a_standard_line_gives_the_oldest_first() -> None:
    line = StandardLine()
    line.put(_leases("a", "b", "c", "d"))
    assert _names(line.take(1)) == ["a"]
    assert _names(line.take(2)) == ["b", "c"]
    assert len(line) == 1
    assert line.finished(_leases("a")[0], in_order=False) == []
    line.clear()
    assert line.take(1) == line.take(5) == []


def test_of_a_group_one_message_is_taken_at_a_time_and_groups_go_beside_each_other() -> None:
    line = _grouped("a/1", "a/2", "b/1", "a/3", "b/2")
    first, second = line.take(1), line.take(1)
    assert _names(first + second) == ["a/1", "b/1"]
    assert len(line) == 0
    assert line.take(5) == []
    assert line.finished(second[0], in_order=True) == []
    assert _names(line.take(1)) == ["b/2"]
    line.finished(first[0], in_order=True)
    assert _names(line.take(1)) == ["a/2"]


def test_no_group_has_to_wait_until_another_is_through() -> None:
    line = _grouped("a/1", "a/2", "b/1", "b/2")
    order = []
    while taken := line.take(1):
        order += _names(taken)
        line.finished(taken[0], in_order=True)
    assert order == ["a/1", "b/1", "a/2", "b/2"]


def test_after_a_failure_the_rest_of_the_group_is_given_back_in_order_and_no_other() -> None:
    line = _grouped("a/1", "a/2", "b/1", "a/3")
    (failed,) = line.take(1)
    assert _names(line.finished(failed, in_order=False)) == ["a/2", "a/3"]
    assert _names(line.take(5)) == ["b/1"]
    line.put(_leases("a/1", "a/2"))
    assert _names(line.take(1)) == ["a/1"]


def test_a_batch_holds_its_groups_until_the_last_of_each_is_handled() -> None:
    line = _grouped("a/1", "a/2", "b/1", "a/3")
    batch = line.take(3)
    assert _names(batch) == ["a/1", "a/2", "a/3"]
    assert _names(line.take(3)) == ["b/1"]
    line.put(_leases("a/4"))
    for lease in batch:
        assert line.take(3) == []
        line.finished(lease, in_order=True)
    assert _names(line.take(3)) == ["a/4"]


def test_a_failure_within_a_batch_gives_back_what_waits_once() -> None:
    line = _grouped("a/1", "a/2", "a/3")
    first, second = line.take(2)
    assert _names(line.finished(first, in_order=False)) == ["a/3"]
    assert line.finished(second, in_order=True) == []
    line.put(_leases("a/1"))
    assert _names(line.take(2)) == ["a/1"]


def test_what_is_handled_while_the_line_is_cleared_can_be_finished() -> None:
    line = _grouped("a/1", "a/2", "b/1")
    (running,) = line.take(1)
    line.clear()
    assert len(line) == 0
    assert line.finished(running, in_order=False) == []
    assert line.take(5) == []


def test_a_group_that_is_through_is_forgotten() -> None:
    line = _grouped(*(f"{number}/1" for number in range(100)))
    for lease in line.take(100):
        line.finished(lease, in_order=True)
    assert not line._groups
    assert not line._handled

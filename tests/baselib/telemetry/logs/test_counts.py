"""Counts: every line is a metric, told once, by the process that wrote it."""

import io
import logging
import os
from typing import Any

from baselib.telemetry.logs import LINES, log_handler
from baselib.telemetry.logs.counts import LineCounts
from baselib.telemetry.metrics import MetricsClient
from baselib.telemetry.metrics.standard import LOG_LINES, LOG_LINES_SAMPLED


def _reported(counts: LineCounts) -> list[tuple[str, int, str]]:
    told: list[tuple[str, int, str]] = []
    counts.report(lambda stat, count, *, tags: told.append((stat, count, tags["level"])))
    return told


def test_what_was_counted_is_told_once() -> None:
    counts = LineCounts()
    counts.lines[logging.INFO] += 2
    counts.left_out[logging.ERROR] += 1
    assert _reported(counts) == [(LOG_LINES.name, 2, "info"), (LOG_LINES_SAMPLED.name, 1, "error")]
    assert _reported(counts) == []
    counts.lines[logging.INFO] += 1
    assert _reported(counts) == [(LOG_LINES.name, 1, "info")]


def test_levels_of_a_services_own_make_no_tags_of_their_own() -> None:
    counts = LineCounts()
    for level in (0, 5, 25, 1000):
        counts.lines[level] += 1
    assert {tag for _, _, tag in _reported(counts)} == {"debug", "info", "critical"}


def test_a_forked_child_does_not_tell_its_parents_lines() -> None:
    LINES.lines[logging.INFO] += 3
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        LINES.lines[logging.INFO] += 1
        os.write(writer, repr(_reported(LINES)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert answer.read() == repr([(LOG_LINES.name, 1, "info")])
    _reported(LINES)


def test_lines_are_counted_by_level_and_taken_by_the_metrics_client() -> None:
    _reported(LINES)
    logger = logging.Logger("shop")  # noqa: LOG001
    logger.addHandler(log_handler({}, "json", io.StringIO()))
    logger.info("a")
    logger.info("b")
    logger.error("c")
    lines: list[str] = []
    client: Any = MetricsClient(lines.append)
    LINES.report(client.incr)
    assert sorted(lines) == ["log.lines:1|c|#level:error", "log.lines:2|c|#level:info"]

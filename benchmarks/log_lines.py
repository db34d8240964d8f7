"""CPU of a log line: the standard library's plain text, and baselib's JSON with identity, request id and a field.

python -m benchmarks.log_lines
"""

import json
import logging
import os
import sys
import time
from collections.abc import Callable

from benchmarks.rounds import measure, report

VARIANTS = ("logging, plain text", "baselib, JSON", "baselib, JSON with exception")
LINES = 30_000
IDENTITY = {
    "SERVICE_PRODUCT": "duolingo",
    "SERVICE_NAME": "api",
    "SERVICE_OWNER": "learning",
    "SERVICE_ENVIRONMENT": "prod",
    "SERVICE_RELEASE": "1.2.3",
}


def line(variant: str) -> Callable[[], None]:
    """What logs once, to nowhere."""
    stream = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    logger = logging.getLogger("shop.orders")
    logger.setLevel(logging.INFO)
    if variant == VARIANTS[0]:
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.getLogger().addHandler(handler)
    else:
        from baselib.contract import Settings  # noqa: PLC0415
        from baselib.telemetry.logs import configure_logs  # noqa: PLC0415
        from baselib.telemetry.span import Span, activate  # noqa: PLC0415

        configure_logs(Settings.from_environment({**IDENTITY, "LOG_FORMAT": "json"}), stream, sample_repeats=False)
        activate(Span("request", "/lessons", trace_id="1-67891233-abcdef012345678912345678"))
    if variant == VARIANTS[2]:
        try:
            raise ValueError("no such lesson")
        except ValueError as error:
            raised = error
        return lambda: logger.error("sold %d lessons", 3, exc_info=raised, extra={"amount": 3})
    return lambda: logger.info("sold %d lessons", 3, extra={"amount": 3})


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) == 1:
        report("a log line", measure("benchmarks.log_lines", VARIANTS, rounds=7))
        return
    log = line(sys.argv[1])
    log()
    began = time.process_time()
    for _ in range(LINES):
        log()
    print(json.dumps((time.process_time() - began) / LINES * 1e6))


if __name__ == "__main__":
    main()

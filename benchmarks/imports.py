"""What starting costs before the first request: Flask and sentry-sdk imported, and baselib with `create_app()`.

python -m benchmarks.imports
"""

import json
import os
import sys
import time

from benchmarks.rounds import measure, report

VARIANTS = ("import flask and sentry_sdk", "the same, and sentry_sdk.init()", "baselib and create_app()")
MODULE = "benchmarks.imports"


def run(variant: str) -> None:
    """Import, or make the application."""
    if variant == VARIANTS[2]:
        os.environ |= {
            "SERVICE_PRODUCT": "bench",
            "SERVICE_NAME": "api",
            "SERVICE_OWNER": "bench",
            "LOG_LEVEL": "WARNING",
            "STATSD_HOST": "127.0.0.1",
            "SENTRY_DSN": "http://key@127.0.0.1:9/1",
        }
        from baselib import create_app  # noqa: PLC0415

        create_app(__name__)
        return
    import flask  # noqa: F401, PLC0415
    import sentry_sdk  # noqa: PLC0415

    if variant == VARIANTS[1]:
        sentry_sdk.init("http://key@127.0.0.1:9/1")


def main() -> None:
    """Measure one variant, or all."""
    if len(sys.argv) == 1:
        report("a start", measure(MODULE, VARIANTS, rounds=11))
        return
    # CPU since the process began, less what Python itself had used until here.
    began = time.process_time()
    run(sys.argv[1])
    print(json.dumps((time.process_time() - began) * 1e6))
    print(f"{len(sys.modules)} modules", file=sys.stderr)


if __name__ == "__main__":
    main()

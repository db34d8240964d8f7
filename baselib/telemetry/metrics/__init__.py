"""Metrics over statsd: code written for the `statsd` package's client works unchanged, and may add tags.

>>> from baselib.telemetry.metrics import MetricsClient
>>> lines = []
>>> metrics = MetricsClient(lines.append, prefix="duolingo.api", tags={"environment": "prod"})
>>> metrics.incr("lessons", tags={"language": "es"})
>>> lines
['duolingo.api.lessons:1|c|#environment:prod,language:es']
"""

from baselib.telemetry.metrics.client import MetricsClient
from baselib.telemetry.metrics.recorder import Pipeline
from baselib.telemetry.metrics.timer import Timer
from baselib.telemetry.metrics.transport import UdpTransport

__all__ = ["MetricsClient", "Pipeline", "Timer", "UdpTransport"]

"""What duolingo-report does each time it runs."""

import logging

from baselib import metrics
from baselib.service import Service

logger = logging.getLogger(__name__)


def run(service: Service) -> None:
    """Do the work once; an exception makes the run fail."""
    logger.info("counted", extra={"environment_name": service.settings.environment})
    metrics.gauge("counted", 1)

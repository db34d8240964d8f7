"""The paths that every service answers, and the ports it answers them on."""

from typing import Final

from baselib.contract._document import CONTRACT

LIVE: Final[str] = CONTRACT["endpoints"]["live"]
READY: Final[str] = CONTRACT["endpoints"]["ready"]
DEPENDENCIES: Final[str] = CONTRACT["endpoints"]["dependencies"]
INFO: Final[str] = CONTRACT["endpoints"]["info"]

WEB_PORT: Final[int] = CONTRACT["ports"]["web"]
HEALTH_PORT: Final[int] = CONTRACT["ports"]["health"]

"""Forgetting everything, as tests do between two embedded AWS."""

from baselib.aws.clients import forget_clients
from baselib.aws.values import forget_values


def reset() -> None:
    """Forget every client, session, secret and parameter."""
    forget_clients()
    forget_values()

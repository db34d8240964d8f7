"""The life of a process: starting, ready, draining, stopped; one place for web and worker."""

from baselib.lifecycle.phase import LIFE, Life, Phase

__all__ = ["LIFE", "Life", "Phase"]

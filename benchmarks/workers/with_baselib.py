"""A worker service with baselib: its handler is the one that the variable BENCHMARK_VARIANT names."""

import os

from pydantic import BaseModel, Field

from baselib.worker import Message, Worker
from benchmarks.workers.jobs import job


class Lesson(BaseModel):
    """The body of a message."""

    event: str = Field(max_length=100)
    lesson: str = Field(min_length=1, max_length=100)
    learner: int = Field(ge=1)
    answers: list[str] = Field(max_length=50)
    seconds: float
    score: float = Field(ge=0, le=1)
    finished: str


def one(_: Message[str]) -> None:
    """Handle a message."""
    job()


def validated(_: Message[Lesson]) -> None:
    """Handle a message whose body is a lesson."""
    job()


def several(messages: list[Message[str]]) -> None:
    """Handle up to ten messages."""
    for _ in messages:
        job()


def register(worker: Worker) -> None:
    """Add the variant's handler."""
    variant = os.environ["BENCHMARK_VARIANT"]
    if variant == "baselib-batch":
        worker.handle(several, batch=10)
    elif variant == "baselib-model":
        worker.handle(validated, body=Lesson)
    else:
        worker.handle(one)


if "BENCHMARK_VARIANT" in os.environ:
    worker = Worker(register, threads=4)

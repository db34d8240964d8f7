"""The routes of duolingo-api."""

from datetime import UTC, datetime

from baselib import metrics
from baselib.service import Service
from baselib.web import validate
from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, Field

greetings = Blueprint("greetings", __name__)


class GreetingRequest(BaseModel):
    """Who is to be greeted."""

    name: str = Field(min_length=1, max_length=100)


class Greeting(BaseModel):
    """A greeting."""

    text: str
    made_at: datetime


@greetings.post("/greetings")
@validate(body=GreetingRequest, answers={201: Greeting})
def create_greeting(json: GreetingRequest) -> ResponseReturnValue:
    """Greet somebody."""
    metrics.incr("greetings")
    greeting = Greeting(text=f"Hello, {json.name}!", made_at=datetime.now(UTC))
    return greeting.model_dump(mode="json"), 201


def register(app: Flask, service: Service) -> None:
    """Add the routes, and health checks of this service's own with `service.health_check(...)`."""
    app.register_blueprint(greetings)

"""The OpenAPI document of a service, drawn from the models that its views are checked against."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from spectree import Response, SpecTree
from spectree.plugins.flask_plugin import FlaskPlugin

from baselib.contract import Settings
from baselib.web.validation import DESCRIPTION


def document(app: Flask, settings: Settings) -> dict[str, Any]:
    """The document of an application's routes.

    Args:
        app: The application, with its routes.
        settings: Gives the document's title and version.
    """
    tree = SpecTree(
        backend=_Plugin, app=app, annotations=False, title=settings.name.repository, version=settings.release
    )
    found: dict[str, Any] = tree.spec
    return found


class _Plugin(FlaskPlugin):
    """Describes the views and adds nothing to the application."""

    def register_route(self, app: Flask) -> None:
        """Add no route: the document's own is there from the start."""

    def parse_func(self, route: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Each method of a route, with its view as spectree would have decorated it."""
        for method, view in super().parse_func(route):
            description = getattr(view, DESCRIPTION, None)
            if description is None:
                yield method, view
            else:
                # Only for the document: requests do not pass through it.
                answers = Response(**{f"HTTP_{status}": model for status, model in description.answers.items()})
                describe = self.spectree.validate(
                    json=description.body, query=description.query, resp=answers, skip_validation=True
                )
                yield method, describe(view)

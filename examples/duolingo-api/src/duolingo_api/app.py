"""Template-owned: the WSGI application that `baselib serve` runs. The routes are in routes.py."""

from baselib.web import create_app

from duolingo_api.routes import register

app = create_app(
    __name__,
    routes=register,
    data_stores=[
        "postgres",
        "redis",
    ],
    hard_dependencies=[
        "duolingo-auth",
    ],
    soft_dependencies=[
        "duolingo-recs",
    ],
)

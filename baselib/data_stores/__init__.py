"""Clients of the data stores that a service declared: postgres, redis, memcached, elasticsearch.

from baselib import data_stores

with data_stores.session() as session:
    session.add(order)
data_stores.redis().set("seen", 1, ex=60)

Each is made when it is first asked for, from the address in the settings, and shared by the threads of the process:

>>> from baselib.contract import Settings
>>> urls = {"redis": "redis://cache:6379/0"}
>>> configure_data_stores(Settings(product="duolingo", service="api", owner="platform", data_store_urls=urls))
>>> postgres()
Traceback (most recent call last):
baselib.data_stores.errors.UndeclaredDataStoreError: postgres is not declared: name it in \
data_stores=["postgres"] where the service is made, and set DATABASE_URL
>>> reset()
"""

from baselib.data_stores.checks import data_store_check
from baselib.data_stores.clients import (
    configure_data_stores,
    elasticsearch,
    memcached,
    postgres,
    redis,
    reset,
    session,
)
from baselib.data_stores.errors import MissingExtraError, UndeclaredDataStoreError

__all__ = [
    "MissingExtraError",
    "UndeclaredDataStoreError",
    "configure_data_stores",
    "data_store_check",
    "elasticsearch",
    "memcached",
    "postgres",
    "redis",
    "reset",
    "session",
]

"""The data stores that a service declared: postgres, redis, memcached, elasticsearch."""

from baselib.data_stores.reachability import data_store_check

__all__ = ["data_store_check"]

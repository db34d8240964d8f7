"""What a call costs, from a dated table of AWS's public prices; a call that it does not know has no price.

>>> table = PriceTable.read()
>>> listing, reading = table.price("s3", "ListBuckets"), table.price("s3", "GetObject")
>>> call = Consumption(sent=0, received=2_000)
>>> listing.of(call), reading.of(call)
(5.0, 0.4)
>>> table.price("s3", "SelectObjectContent") is None
True
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

_TABLE: Final = Path(__file__).with_name("prices.json")
_KIBIBYTE: Final = 1024
_EVERY: Final = "*"


@dataclass(slots=True)
class Consumption:
    """What a call used, as far as its price depends on it.

    Args:
        sent: Bytes of the request's body.
        received: Bytes of the answer's body.
        parsed: The answer.
        fifo: Whether it was about a FIFO queue.
        consistent: Whether it asked DynamoDB for a strongly consistent read.
    """

    sent: int = 0
    received: int = 0
    parsed: Mapping[str, Any] = field(default_factory=dict)
    fifo: bool = False
    consistent: bool = False


def _chunks(size: int, chunk: int) -> int:
    return max(1, -(-size // chunk))


def _payload(call: Consumption, chunk: int, answered: str) -> int:
    # Each record of a batch counts for itself where the service says so; a record in several chunks for each of them.
    return max(len(call.parsed.get(answered, ())), _chunks(max(call.sent, call.received), chunk))


def _capacity(call: Consumption) -> float | None:
    told = call.parsed.get("ConsumedCapacity")
    if not told:
        return None
    return float(sum(each["CapacityUnits"] for each in (told if isinstance(told, list) else [told])))


def _read_units(call: Consumption) -> float:
    # Estimated from the answer's size where the caller did not ask for ReturnConsumedCapacity.
    told = _capacity(call)
    return _chunks(call.received, 4 * _KIBIBYTE) * (1.0 if call.consistent else 0.5) if told is None else told


def _write_units(call: Consumption) -> float:
    told = _capacity(call)
    return _chunks(call.sent, _KIBIBYTE) if told is None else told


_UNITS: Final[Mapping[str, Callable[[Consumption], float]]] = MappingProxyType(
    {
        "request": lambda call: 1,
        "64 KiB": lambda call: _payload(call, 64 * _KIBIBYTE, "Entries"),
        "25 KiB": lambda call: _payload(call, 25 * _KIBIBYTE, "Records"),
        "GiB": lambda call: call.sent / _KIBIBYTE**3,
        "read unit": _read_units,
        "write unit": _write_units,
    }
)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an operation.

    Args:
        units: How many units a call is.
        each: Millionths of a US dollar for a unit.
        each_fifo: The same for a FIFO queue.
    """

    units: Callable[[Consumption], float]
    each: float
    each_fifo: float

    def of(self, call: Consumption) -> float:
        """Millionths of a US dollar for a call."""
        return self.units(call) * (self.each_fifo if call.fifo else self.each)


class PriceTable:
    """The table.

    Args:
        table: As in `prices.json`.

    Attributes:
        date: The day on which the prices were read.
        region: The AWS region whose prices they are.
    """

    def __init__(self, table: Mapping[str, Any]) -> None:
        self.date: str = table["date"]
        self.region: str = table["region"]
        self._prices = {
            (row["service"], operation): Price(
                _UNITS[row["unit"]], row["usd_per_million"], row.get("fifo_usd_per_million", row["usd_per_million"])
            )
            for row in table["prices"]
            for operation in row["operations"]
        }

    @classmethod
    def read(cls) -> Self:
        """The table that comes with baselib."""
        return cls(json.loads(_TABLE.read_text(encoding="utf-8")))

    def price(self, service: str, operation: str) -> Price | None:
        """The price of an operation; None when it is not known.

        Args:
            service: For instance `s3`.
            operation: For instance `GetObject`.
        """
        return self._prices.get((service, operation)) or self._prices.get((service, _EVERY))

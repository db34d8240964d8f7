"""What the stand-in for PagerDuty's provider answers to Terraform, in Terraform's plug-in protocol.

With the token `pretend` it takes whatever the schema allows and makes ids up, so that what a module makes in AWS can be
applied; with any other it refuses.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgpack
from tf import provider, runner, types
from tf.gen import tfplugin_pb2 as messages
from tf.utils import read_dynamic_value as unpacked

from tests.terraform.pagerduty.provider import ADDRESS, PRETEND

Described = dict[str, Any]


def block(described: Described) -> Any:
    """A block of the schema, as a message."""
    return messages.Schema.Block(
        attributes=[
            messages.Schema.Attribute(name=name, **{**attribute, "type": json.dumps(attribute["type"]).encode()})
            for name, attribute in described["attributes"].items()
        ],
        block_types=[
            messages.Schema.NestedBlock(
                type_name=name,
                nesting=messages.Schema.NestedBlock.NestingMode.Value(nesting.upper()),
                min_items=least,
                max_items=most,
                block=block(body),
            )
            for name, (body, least, most, nesting) in described["blocks"].items()
        ],
    )


def packed(value: Any) -> Any:
    """A value as Terraform takes it."""
    unknown = msgpack.ExtType(0, b"\0")
    return messages.DynamicValue(msgpack=msgpack.packb(value, default=lambda _: unknown))


def unset(described: Described, values: dict[str, Any]) -> list[str]:
    """The attributes that the provider has to give a value."""
    return [
        name
        for name, attribute in described["attributes"].items()
        if attribute["computed"] and (values[name] is None or values[name] is types.Unknown)
    ]


def made_up(described: Described, kind: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values with those that were unset: the same for the same arguments."""
    known = repr((kind, {name: str(value) for name, value in values.items()}))

    def value(name: str) -> Any:
        expected = described["attributes"][name]["type"]
        digest = hashlib.sha256(f"{known} {name}".encode()).hexdigest()[:32]
        return {"string": digest, "number": 0, "bool": False}[expected] if isinstance(expected, str) else []

    return values | {name: value(name) for name in unset(described, values)}


class Servicer(provider.ProviderServicer):  # type: ignore[misc]
    """The protocol, as far as the tests need it.

    Args:
        stand_in: What the package passes on; the schema is in it.
    """

    def __init__(self, stand_in: "StandIn") -> None:
        self._resources = stand_in.schema["resources"]
        self._data_sources = stand_in.schema["data_sources"]
        self._provider = stand_in.schema["provider"]

    def GetProviderSchema(self, _request: object, _context: object) -> Any:  # noqa: N802
        return messages.GetProviderSchema.Response(
            provider=messages.Schema(block=block(self._provider)),
            provider_meta=messages.Schema(block=messages.Schema.Block()),
            resource_schemas={name: messages.Schema(block=block(it)) for name, it in self._resources.items()},
            data_source_schemas={name: messages.Schema(block=block(it)) for name, it in self._data_sources.items()},
        )

    def ValidateProviderConfig(self, _request: object, _context: object) -> Any:  # noqa: N802
        return messages.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, _request: object, _context: object) -> Any:  # noqa: N802
        return messages.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, _request: object, _context: object) -> Any:  # noqa: N802
        return messages.ValidateDataResourceConfig.Response()

    def GetFunctions(self, _request: object, _context: object) -> Any:  # noqa: N802
        return messages.GetFunctions.Response()

    def ConfigureProvider(self, request: Any, _context: object) -> Any:  # noqa: N802
        if (unpacked(request.config) or {}).get("token") == PRETEND:
            return messages.ConfigureProvider.Response()
        refusal = messages.Diagnostic(
            severity=messages.Diagnostic.ERROR,
            summary="This is a stand-in for PagerDuty's provider",
            detail="It knows the schema only: use mock_provider, or install the provider.",
        )
        return messages.ConfigureProvider.Response(diagnostics=[refusal])

    def UpgradeResourceState(self, request: Any, _context: object) -> Any:  # noqa: N802
        return messages.UpgradeResourceState.Response(upgraded_state=packed(json.loads(request.raw_state.json)))

    def ReadResource(self, request: Any, _context: object) -> Any:  # noqa: N802
        return messages.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request: Any, _context: object) -> Any:  # noqa: N802
        planned = unpacked(request.proposed_new_state)
        if planned is not None and unpacked(request.prior_state) is None:
            planned |= dict.fromkeys(unset(self._resources[request.type_name], planned), types.Unknown)
        return messages.PlanResourceChange.Response(planned_state=packed(planned), legacy_type_system=True)

    def ApplyResourceChange(self, request: Any, _context: object) -> Any:  # noqa: N802
        planned = unpacked(request.planned_state)
        made = planned and made_up(self._resources[request.type_name], request.type_name, planned)
        return messages.ApplyResourceChange.Response(new_state=packed(made), legacy_type_system=True)

    def ReadDataSource(self, request: Any, _context: object) -> Any:  # noqa: N802
        found = made_up(self._data_sources[request.type_name], request.type_name, unpacked(request.config))
        return messages.ReadDataSource.Response(state=packed(found))


class StandIn:
    """The provider, for the package that serves it.

    Args:
        schema: What the bindings say, as JSON.
    """

    def __init__(self, schema: Described) -> None:
        self.schema = schema

    def full_name(self) -> str:
        """Where Terraform would look for it."""
        return ADDRESS


def serve(path: Path) -> None:
    """Answer Terraform until it ends this process.

    Args:
        path: The file with the schema.
    """
    # The package has no other way to put one's own servicer in.
    provider.ProviderServicer = Servicer
    runner.run_provider(StandIn(json.loads(path.read_text(encoding="utf-8"))))

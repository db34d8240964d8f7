"""The schema of PagerDuty's provider, read from the bindings generated from it (PyPI: cdktn-provider-pagerduty).

The JavaScript in the wheel says of every argument what the provider's schema says: its name, its type, whether it is
required, and whether it is a block.
"""

import importlib.metadata
import io
import json
import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGE = "cdktn-provider-pagerduty"

# As Terraform writes types in JSON: "string", ["list", "string"], ["list", ["object", {"name": "string"}]].
Type = str | list[Any]

_CLASS = re.compile(r"^class (\w+) extends cdktn\.(\w+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r"^function (\w+)ToHclTerraform\(struct\) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(
    r"^ +(\w+): \{\n +value: .*\n +isBlock: (true|false),\n +type: \"(\w+)\",\n +storageClassType: \"(\w+)\"",
    re.MULTILINE,
)
_MEMBER = re.compile(
    r"^    // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n"
    r"(.*?)(?=^    // \w+ - computed|^    // ===|\Z)",
    re.MULTILINE | re.DOTALL,
)
_NESTED = re.compile(r"= new (\w+?)(OutputReference|List)\(this, \"\w+\"(?:, (true|false))?\)")
_GETTER = re.compile(r"this\.get(\w+?)Attribute\('\w+'\)")
_RESOURCE_TYPE = re.compile(r'static tfResourceType = "(\w+)"')

_TYPES: dict[str, Type] = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "stringList": ["list", "string"],
    "numberList": ["list", "number"],
}
_GETTERS: dict[str, Type] = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
}


@dataclass
class Attribute:
    """One attribute of a block."""

    type: Type
    required: bool
    optional: bool
    computed: bool


@dataclass
class Block:
    """What may be between two braces.

    Attributes:
        attributes: By name.
        blocks: Nested ones by name, each with its least and greatest number, 0 for any, and `list` or `set`.
    """

    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, tuple["Block", int, int, str]] = field(default_factory=dict)


@dataclass
class Schema:
    """What a provider takes."""

    version: str
    provider: Block
    resources: dict[str, Block]
    data_sources: dict[str, Block]


class Module:
    """One file of the bindings: a resource or data source with the blocks in it.

    Args:
        text: The JavaScript.
    """

    def __init__(self, text: str) -> None:
        self._members = {name: _MEMBER.findall(body) for name, _, body in _CLASS.findall(text)}
        self._bodies = {name: (base, body) for name, base, body in _CLASS.findall(text)}
        self._arguments = {name[0].lower() + name[1:]: _arguments(body) for name, (_, body) in self._bodies.items()}
        self._arguments |= {name: _arguments(body) for name, body in _FUNCTION.findall(text)}

    def top(self) -> tuple[str, str, Block] | None:
        """What kind of thing the file describes, its Terraform type and its block."""
        for name, (base, body) in self._bodies.items():
            if base in {"TerraformResource", "TerraformDataSource", "TerraformProvider"}:
                found = _RESOURCE_TYPE.search(body)
                return base, found[1] if found else name, self._block(name, name)
        return None

    def _block(self, name: str, members: str) -> Block:
        block = Block()
        arguments = self._arguments.get(name[0].lower() + name[1:], {})
        for member, computed, optional, required, code in self._members[members]:
            is_block, kind, storage = arguments.get(member, (False, "", ""))
            nested = _NESTED.search(code)
            if nested and is_block:
                single = nested[2] == "OutputReference"
                body = self._block(nested[1], f"{nested[1]}OutputReference")
                block.blocks[member] = body, int(required == "true"), int(single), "set" if kind == "set" else "list"
            elif is_block:
                # The provider's own blocks have no class that would say what is required in them.
                struct = storage[0].lower() + storage[1:].removesuffix("List")
                inner = {
                    key: Attribute(_TYPES[it[2]], False, True, False) for key, it in self._arguments[struct].items()
                }
                block.blocks[member] = Block(inner), 0, 0, "list"
            else:
                given = "true" in {required, optional}
                flags = required == "true", optional == "true", computed == "true" or not given
                block.attributes[member] = Attribute(self._type(storage, kind, nested, code), *flags)
        return block

    def _type(self, storage: str, kind: str, nested: re.Match[str] | None, code: str) -> Type:
        if nested:
            inner = self._block(nested[1], f"{nested[1]}OutputReference")
            members: dict[str, Type] = {name: attribute.type for name, attribute in inner.attributes.items()}
            members |= {
                name: [nesting, ["object", {key: value.type for key, value in body.attributes.items()}]]
                for name, (body, _, _, nesting) in inner.blocks.items()
            }
            return ["set" if nested[3] == "true" else "list", ["object", members]]
        if storage in _TYPES:
            found = _TYPES[storage]
        else:
            getter = _GETTER.search(code)
            found = _GETTERS[getter[1]] if getter else "string"
        is_set = kind == "set" or "cdktn.Fn.tolist(" in code
        return ["set", found[1]] if is_set and isinstance(found, list) else found


def _arguments(body: str) -> dict[str, tuple[bool, str, str]]:
    return {name: (block == "true", kind, storage) for name, block, kind, storage in _ARGUMENT.findall(body)}


def archive() -> bytes | None:
    """The generated bindings in the installed package, or None where it is not installed."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())).read_bytes() for file in files if file.name.endswith(".jsii.tgz")), None)


def read(archived: bytes) -> Schema:
    """The schema that the bindings were generated from."""
    with tarfile.open(fileobj=io.BytesIO(archived)) as tar:
        texts = {
            member.name: file.read().decode()
            for member in tar.getmembers()
            if member.name.endswith(("package/package.json", "/index.js")) and (file := tar.extractfile(member))
        }
    version = json.loads(texts.pop("package/package.json"))["cdktn"]["provider"]["version"]
    schema = Schema(version, Block(), {}, {})
    for text in texts.values():
        top = Module(text).top()
        if top is None:
            continue
        base, name, block = top
        if base == "TerraformProvider":
            # Terraform's own word, not the provider's.
            block.attributes.pop("alias", None)
            schema.provider = block
        else:
            (schema.resources if base == "TerraformResource" else schema.data_sources)[name] = block
    return schema

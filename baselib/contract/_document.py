"""The contract as data.

`contract.json` and `alarms.json` are read by baselib, by the template's validators and by the Terraform modules, so
that a rule, a limit or a sentence is written once.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent

CONTRACT: Final[Mapping[str, Any]] = json.loads((_FOLDER / "contract.json").read_text(encoding="utf-8"))

"""The law that every service, the template and the Terraform modules obey: names, settings, endpoints, exit codes."""

from baselib.contract._document import CONTRACT
from baselib.contract.errors import ConfigurationError
from baselib.contract.exit_codes import ExitCode
from baselib.contract.names import NameRuleError, ServiceName, check_name
from baselib.contract.settings import DataStore, Kind, Needs, Settings
from baselib.contract.variables import VARIABLES, Variable

__all__ = [
    "CONTRACT",
    "VARIABLES",
    "ConfigurationError",
    "DataStore",
    "ExitCode",
    "Kind",
    "NameRuleError",
    "Needs",
    "ServiceName",
    "Settings",
    "Variable",
    "check_name",
]

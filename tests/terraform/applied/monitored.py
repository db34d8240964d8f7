"""One service of each kind, with all that watches it."""

import ast
import json
import operator
from collections.abc import Callable
from typing import Any

from tests.terraform.conftest import REPOSITORY

ALARMS: list[dict[str, Any]] = json.loads((REPOSITORY / "baselib/contract/alarms.json").read_text(encoding="utf-8"))

SERVICES = """
variable "latency_threshold_seconds" {
  type    = number
  default = 1
}

module "duolingo-api" {
  source = "../../modules/ecs_web_service"

  environment     = "prod"
  product         = "duolingo"
  service         = "api"
  owner           = "Learning Team"
  contact         = "learning@example.com"
  min_count       = 2
  max_count       = 4
  cpu             = 512
  memory          = 512
  ecs_cluster     = "prod"
  internal        = "true"
  container_port  = 5000
  service_version = "3f2c1ab"
  sentry_url      = "https://duolingo.sentry.io"

  container_insights        = false
  latency_threshold_seconds = var.latency_threshold_seconds
}

module "duolingo-mailer" {
  source = "../../modules/ecs_worker_service"

  type            = "daemon"
  environment     = "prod"
  product         = "duolingo"
  service         = "mailer"
  owner           = "Learning Team"
  cpu             = 256
  memory          = 256
  ecs_cluster     = "prod"
  service_version = "3f2c1ab"
}

module "duolingo-report" {
  source = "../../modules/ecs_worker_service"

  type            = "cron"
  schedule        = "cron(0 3 * * ? *)"
  environment     = "prod"
  product         = "duolingo"
  service         = "report"
  owner           = "Learning Team"
  cpu             = 256
  memory          = 256
  ecs_cluster     = "prod"
  service_version = "3f2c1ab"
}

output "alarm_names" {
  value = {
    web           = module.duolingo-api.alarm_names
    worker-daemon = module.duolingo-mailer.alarm_names
    worker-cron   = module.duolingo-report.alarm_names
  }
}
"""


def value(expression: str, metrics: dict[str, float]) -> float:
    """What metric math makes of one value of each metric.

    Raises:
        ZeroDivisionError: It divides by 0, where CloudWatch would show nothing.
    """
    return float(_value(ast.parse(expression, mode="eval").body, metrics))


_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
}


def _value(node: ast.expr, metrics: dict[str, float]) -> Any:
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            return metrics[node.id]
        case ast.List():
            return [_value(element, metrics) for element in node.elts]
        case ast.BinOp():
            return _OPERATORS[type(node.op)](_value(node.left, metrics), _value(node.right, metrics))
        case ast.Compare(ops=[comparison], comparators=[right]):
            return _OPERATORS[type(comparison)](_value(node.left, metrics), _value(right, metrics))
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return _called(function, arguments, metrics)
    raise NotImplementedError(ast.dump(node))


def _called(function: str, arguments: list[ast.expr], metrics: dict[str, float]) -> Any:
    match function, arguments:
        case "IF", [condition, yes, no]:
            return _value(yes if _value(condition, metrics) else no, metrics)
        case "FILL", [metric, _]:
            return _value(metric, metrics)
        case "MAX", [several]:
            return max(_value(several, metrics))
        case "PERIOD", _:
            return 60
        case "EPOCH" | "TIME_SERIES", _:
            return 0
    raise NotImplementedError(function)

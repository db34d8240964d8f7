"""Alarms of CloudWatch."""

from typing import Any

from moto.cloudwatch.models import Alarm
from moto.cloudwatch.responses import CloudWatchResponse

from tests.terraform.emulator.patching import around, missing, remember

remember(
    Alarm,
    actions_suppressor=None,
    actions_suppressor_wait_period=None,
    actions_suppressor_extension_period=None,
)


@missing(CloudWatchResponse, "put_composite_alarm")
def put_composite_alarm(self: Any) -> Any:
    """moto has no PutCompositeAlarm, but keeps an alarm with a rule for one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    answer = self.put_metric_alarm()
    alarm: Any = self.cloudwatch_backend.alarms[self._get_param("AlarmName")]
    alarm.actions_suppressor = self._get_param("ActionsSuppressor")
    alarm.actions_suppressor_wait_period = self._get_param("ActionsSuppressorWaitPeriod")
    alarm.actions_suppressor_extension_period = self._get_param("ActionsSuppressorExtensionPeriod")
    return answer


@around(CloudWatchResponse, "describe_alarms")
def describe_alarms(original: Any, self: Any) -> Any:
    """moto answers with alarms of both types; AWS with those of `AlarmTypes`, which are metric alarms by default.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    answer = original(self)
    types = self._get_param("AlarmTypes") or ["MetricAlarm"]
    for key, type_ in (("MetricAlarms", "MetricAlarm"), ("CompositeAlarms", "CompositeAlarm")):
        if type_ not in types:
            answer.result[key] = []
    return answer

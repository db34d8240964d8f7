"""Scalable targets of Application Auto Scaling: their tags."""

import json
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from tests.terraform.emulator.patching import around, missing


def _tags(backend: Any) -> dict[str, dict[str, str]]:
    # On the backend, so that moto's reset takes them along.
    return backend.__dict__.setdefault("tags_by_arn", {})  # type: ignore[no-any-return]


@around(ApplicationAutoScalingResponse, "register_scalable_target")
def register_scalable_target(original: Any, self: Any) -> str:
    """moto forgets the tags that a scalable target is registered with.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
    """
    answer = str(original(self))
    arn = json.loads(answer)["ScalableTargetARN"]
    _tags(self.applicationautoscaling_backend).setdefault(arn, {}).update(self._get_param("Tags") or {})
    return answer


@around(ApplicationAutoscalingBackend, "deregister_scalable_target")
def deregister_scalable_target(original: Any, self: Any, namespace: str, r_id: str, dimension: str) -> None:
    """The tags end with the scalable target that they are on, and so do its policies.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
    """
    target = self.targets[dimension].get(r_id)
    original(self, namespace, r_id, dimension)
    _tags(self).pop(target.arn, None)


@missing(ApplicationAutoScalingResponse, "list_tags_for_resource")
def list_tags_for_resource(self: Any) -> str:
    """moto has no tags here at all, and answers with an error that fails the creation of a target.

    https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ListTagsForResource.html
    """
    return json.dumps({"Tags": _tags(self.applicationautoscaling_backend).get(self._get_param("ResourceARN"), {})})


@missing(ApplicationAutoScalingResponse, "tag_resource")
def tag_resource(self: Any) -> str:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TagResource.html"""
    tags = _tags(self.applicationautoscaling_backend)
    tags.setdefault(self._get_param("ResourceARN"), {}).update(self._get_param("Tags") or {})
    return "{}"


@missing(ApplicationAutoScalingResponse, "untag_resource")
def untag_resource(self: Any) -> str:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_UntagResource.html"""
    tags = _tags(self.applicationautoscaling_backend).get(self._get_param("ResourceARN"), {})
    for key in self._get_param("TagKeys") or []:
        tags.pop(key, None)
    return "{}"

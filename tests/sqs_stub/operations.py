"""Which function does which action."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from tests.sqs_stub import administration, changing, moving, receiving, sending
from tests.sqs_stub.service import Service
from tests.sqs_stub.waiting import Waiter


class Operation(NamedTuple):
    """An action of SQS.

    Attributes:
        name: Its name.
        perform: Takes the parameters of a request and gives the answer's body, or somebody who waits for it.
    """

    name: str
    perform: Callable[[Service, Mapping[str, Any]], bytes | Waiter]


_ALL: Final = (
    Operation("CancelMessageMoveTask", moving.cancel_message_move_task),
    Operation("ChangeMessageVisibility", changing.change_message_visibility),
    Operation("ChangeMessageVisibilityBatch", changing.change_message_visibility_batch),
    Operation("CreateQueue", administration.create_queue),
    Operation("DeleteMessage", changing.delete_message),
    Operation("DeleteMessageBatch", changing.delete_message_batch),
    Operation("DeleteQueue", administration.delete_queue),
    Operation("GetQueueAttributes", administration.get_queue_attributes),
    Operation("GetQueueUrl", administration.get_queue_url),
    Operation("ListDeadLetterSourceQueues", administration.list_dead_letter_source_queues),
    Operation("ListMessageMoveTasks", moving.list_message_move_tasks),
    Operation("ListQueueTags", administration.list_queue_tags),
    Operation("ListQueues", administration.list_queues),
    Operation("PurgeQueue", administration.purge_queue),
    Operation("ReceiveMessage", receiving.receive_message),
    Operation("SendMessage", sending.send_message),
    Operation("SendMessageBatch", sending.send_message_batch),
    Operation("SetQueueAttributes", administration.set_queue_attributes),
    Operation("StartMessageMoveTask", moving.start_message_move_task),
    Operation("TagQueue", administration.tag_queue),
    Operation("UntagQueue", administration.untag_queue),
)
# Header values are compared in small letters.
OPERATIONS: Final = {f"amazonsqs.{operation.name}".lower().encode(): operation for operation in _ALL}
ACTIONS: Final = frozenset(operation.name for operation in _ALL)

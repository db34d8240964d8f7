"""With IAM enforced, a service's roles reach what is its own, and nothing of another service's."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.terraform.applied.conftest import Emulator, Foundation, World

pytestmark = pytest.mark.e2e

SERVICES = ("mailer", "grader")

SERVICE = """
resource "aws_secretsmanager_secret" "{service}" {{
  name = "prod/duolingo-{service}/TOKEN"
}}

module "{service}" {{
  source = "../../modules/ecs_worker_service"

  type               = "daemon"
  environment        = "prod"
  product            = "duolingo"
  service            = "{service}"
  owner              = "Learning"
  min_count          = 1
  max_count          = 2
  cpu                = 256
  memory             = 256
  ecs_cluster        = "prod"
  service_version    = "3f2c1ab"
  coordination_table = true
  payload_bucket     = true
  secrets            = {{ TOKEN = aws_secretsmanager_secret.{service}.arn }}
}}

output "{service}" {{
  value = {{
    queue             = module.{service}.queue.url
    dead_letter_queue = module.{service}.dead_letter_queue.url
    bucket            = module.{service}.payload_bucket.name
    table             = module.{service}.coordination_table.name
    secret            = aws_secretsmanager_secret.{service}.arn
  }}
}}
"""

Call = Callable[[Callable[[str], Any], dict[str, Any]], Any]

# Each is done by the role of one service to what belongs to it or to another.
BY_THE_TASK: dict[str, Call] = {
    "receive from the queue": lambda client, of: client("sqs").receive_message(QueueUrl=of["queue"], WaitTimeSeconds=0),
    "delete from the queue": lambda client, of: client("sqs").delete_message_batch(
        QueueUrl=of["queue"], Entries=[{"Id": "1", "ReceiptHandle": "none"}]
    ),
    "send to the dead-letter queue": lambda client, of: client("sqs").send_message(
        QueueUrl=of["dead_letter_queue"], MessageBody="{}"
    ),
    "write to the bucket": lambda client, of: client("s3").put_object(Bucket=of["bucket"], Key="payload", Body=b"{}"),
    "read from the bucket": lambda client, of: client("s3").get_object(Bucket=of["bucket"], Key="payload"),
    "list the bucket": lambda client, of: client("s3").list_objects_v2(Bucket=of["bucket"]),
    "delete from the bucket": lambda client, of: client("s3").delete_object(Bucket=of["bucket"], Key="payload"),
    "write to the table": lambda client, of: client("dynamodb").put_item(
        TableName=of["table"], Item={"key": {"S": "lock"}}
    ),
    "read from the table": lambda client, of: client("dynamodb").get_item(
        TableName=of["table"], Key={"key": {"S": "lock"}}
    ),
    "delete from the table": lambda client, of: client("dynamodb").delete_item(
        TableName=of["table"], Key={"key": {"S": "lock"}}
    ),
}
BY_ECS: dict[str, Call] = {
    "read the secret": lambda client, of: client("secretsmanager").get_secret_value(SecretId=of["secret"]),
}
# Nobody's: neither role has any use for these.
BEYOND: dict[str, Call] = {
    "delete the queue": lambda client, of: client("sqs").delete_queue(QueueUrl=of["queue"]),
    "delete the bucket": lambda client, of: client("s3").delete_bucket(Bucket=of["bucket"]),
    "scan the table": lambda client, of: client("dynamodb").scan(TableName=of["table"]),
    "change the secret": lambda client, of: client("secretsmanager").put_secret_value(
        SecretId=of["secret"], SecretString="other"
    ),
    "list the queues": lambda client, _: client("sqs").list_queues(),
    "list the secrets": lambda client, _: client("secretsmanager").list_secrets(),
    "make itself an administrator": lambda client, _: client("iam").attach_role_policy(
        RoleName="duolingo-mailer-prod-task", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    ),
}


@pytest.fixture(scope="module")
def world(applied: Callable[..., World], foundation: Foundation) -> World:
    made = applied("\n".join(SERVICE.format(service=service) for service in SERVICES))
    for service in SERVICES:
        made.client("secretsmanager").put_secret_value(SecretId=made.outputs[service]["secret"], SecretString="token")
        made.client("s3").put_object(Bucket=made.outputs[service]["bucket"], Key="payload", Body=b"{}")
    return made


@pytest.fixture(scope="module")
def clients(world: World, emulator: Emulator) -> Iterator[Callable[[str, str], Callable[[str], Any]]]:
    """Clients with the permissions of a service's `task` or `execution` role, while IAM is enforced."""
    session = world.client("sts").assume_role
    keys = {}
    for service in SERVICES:
        for role in ("task", "execution"):
            arn = f"arn:aws:iam::123456789012:role/duolingo-{service}-prod-{role}"
            found = session(RoleArn=arn, RoleSessionName="test")["Credentials"]
            keys[service, role] = {
                "aws_access_key_id": found["AccessKeyId"],
                "aws_secret_access_key": found["SecretAccessKey"],
                "aws_session_token": found["SessionToken"],
            }
    client = functools.cache(lambda service, role, name: world.client(name, **keys[service, role]))
    emulator.enforce_iam()
    yield lambda service, role: functools.partial(client, service, role)
    emulator.enforce_iam(enforced=False)


@pytest.fixture(scope="module")
def own(world: World) -> dict[str, dict[str, Any]]:
    return world.outputs


def refused(call: Callable[[], Any]) -> bool:
    """Whether IAM refuses a call; other errors are not its."""
    try:
        call()
    except ClientError as error:
        # moto answers in XML also where the service speaks JSON.
        if "AccessDenied" not in str(error):
            raise
        return True
    return False


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("action", BY_THE_TASK)
def test_the_task_reaches_only_what_is_its_own(
    clients: Callable[[str, str], Any], own: dict[str, Any], service: str, action: str
) -> None:
    client, (other,) = clients(service, "task"), set(SERVICES) - {service}
    assert not refused(lambda: BY_THE_TASK[action](client, own[service]))
    assert refused(lambda: BY_THE_TASK[action](client, own[other]))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("action", BY_ECS)
def test_ecs_reads_only_the_secrets_of_the_service_that_it_starts(
    clients: Callable[[str, str], Any], own: dict[str, Any], service: str, action: str
) -> None:
    client, (other,) = clients(service, "execution"), set(SERVICES) - {service}
    assert not refused(lambda: BY_ECS[action](client, own[service]))
    assert refused(lambda: BY_ECS[action](client, own[other]))
    assert refused(lambda: BY_ECS[action](clients(service, "task"), own[service])), "The code gets it from ECS."


@pytest.mark.parametrize("role", ["task", "execution"])
@pytest.mark.parametrize("action", BEYOND)
def test_neither_role_does_more(
    clients: Callable[[str, str], Any], own: dict[str, Any], role: str, action: str
) -> None:
    assert refused(lambda: BEYOND[action](clients("mailer", role), own["mailer"]))


@pytest.mark.parametrize("action", BY_THE_TASK)
def test_ecs_does_nothing_of_what_the_task_does(
    clients: Callable[[str, str], Any], own: dict[str, Any], action: str
) -> None:
    assert refused(lambda: BY_THE_TASK[action](clients("mailer", "execution"), own["mailer"]))

"""moto's server as the AWS of a test, of a developer's machine, or of compose."""

import json
from typing import Any, Final, Self

from baselib.contract import ConfigurationError
from baselib.testing.ports import claim_port

REGION: Final = "us-east-1"
# moto accepts any; they only have to be there.
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded"}
_MOST_RECEIVES: Final = 5


class EmbeddedAws:
    """An AWS in this process.

    Args:
        host: The address to listen on.
        port: The port; 0 picks a free one.

    Attributes:
        url: What `AWS_ENDPOINT_URL` has to be.

    Raises:
        ConfigurationError: Something else listens on the port.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - heavy, and only needed where it runs

        try:
            claim_port(port, host)
        except OSError as error:
            raise ConfigurationError([f"port {port} for the embedded AWS: {error.strerror}"]) from error
        self._server = ThreadedMotoServer(host, port, verbose=False)
        self._host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - where this machine itself finds it
        self.url = ""

    def __enter__(self) -> Self:
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.url = f"http://{self._host}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which a service uses this AWS."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, **CREDENTIALS}

    def client(self, service: str) -> Any:
        """A boto3 client of this AWS."""
        return embedded_client(self.url, service)

    def make_queue(self, name: str) -> str:
        """Make a queue with a dead-letter queue, as Terraform does, and return its URL.

        Args:
            name: The queue's name; the dead-letter queue's has `_dead_letter` behind it. One that ends in `.fifo` makes
                two FIFO queues.
        """
        sqs = self.client("sqs")
        stem, dot, suffix = name.partition(".fifo")
        kind = {"FifoQueue": "true"} if dot and not suffix else {}
        dead_letters = sqs.create_queue(QueueName=f"{stem}_dead_letter{dot}{suffix}", Attributes=kind)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": _MOST_RECEIVES})
        return str(sqs.create_queue(QueueName=name, Attributes={**kind, "RedrivePolicy": policy})["QueueUrl"])


def embedded_client(url: str, service: str) -> Any:
    """A boto3 client of an embedded AWS, also of one in another process.

    Args:
        url: Where it answers.
        service: For instance `sqs`.
    """
    import boto3  # noqa: PLC0415 - takes a moment, in which its user can already say something

    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )

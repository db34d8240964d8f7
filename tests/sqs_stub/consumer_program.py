"""A process that consumes a queue with threads, and prints what it got: for the tests of concurrency.

python -m tests.sqs_stub.consumer_program PORT QUEUE_URL THREADS
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.sqs_stub.client import Stub


def main() -> None:
    """Consume until the queue gives nothing for a second."""
    port, url, threads = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    client = Stub(port).client()

    def consume() -> list[str]:
        bodies: list[str] = []
        while True:
            found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages")
            if not found:
                return bodies
            entries = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(found)]
            answer = client.delete_message_batch(QueueUrl=url, Entries=entries)
            assert len(answer["Successful"]) == len(found)
            bodies += [each["Body"] for each in found]

    with ThreadPoolExecutor(threads) as pool:
        results = [pool.submit(consume) for _ in range(threads)]
    print("\n".join(body for result in results for body in result.result()))


if __name__ == "__main__":
    main()

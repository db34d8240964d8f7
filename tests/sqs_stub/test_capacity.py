"""The stub is faster than any client of it; CPU time is compared, because the machine may be busy."""

from tests.sqs_stub.capacity import by_boto3, by_raw_sockets, measure
from tests.sqs_stub.client import sqs_stub


def test_a_call_costs_the_stub_a_third_of_what_it_costs_boto3() -> None:
    with sqs_stub() as stub:
        raw = measure(stub, "raw", 10_000, by_raw_sockets)
        boto3 = measure(stub, "boto3", 1_000, by_boto3)
    assert raw.stub_microseconds * 3 < boto3.client_microseconds

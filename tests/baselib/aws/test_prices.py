"""Prices: from a dated table, for what it knows and for nothing else."""

import datetime
import json
from pathlib import Path

import boto3
import pytest

import baselib.aws.prices as module
from baselib.aws.prices import Consumption, PriceTable

KIB = 1024
RAW = json.loads(Path(module.__file__).with_name("prices.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return PriceTable.read()


def test_the_table_says_when_where_and_from_which_page(table: PriceTable) -> None:
    assert datetime.date.fromisoformat(table.date)
    assert table.region == "us-east-1"
    assert RAW["currency"] == "USD"
    assert all(row["source"].startswith("https://aws.amazon.com/") for row in RAW["prices"])


@pytest.mark.parametrize("service", sorted({row["service"] for row in RAW["prices"]}))
def test_every_operation_of_the_table_is_one_of_botocores(service: str) -> None:
    known = boto3.session.Session().client(
        service, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    names = {name for row in RAW["prices"] if row["service"] == service for name in row["operations"]} - {"*"}
    assert names <= set(known.meta.service_model.operation_names)
    assert len(names) == sum(
        len(row["operations"]) for row in RAW["prices"] if row["service"] == service and row["operations"] != "*"
    )


@pytest.mark.parametrize(
    ("service", "operation", "call", "micro_dollars"),
    [
        # https://aws.amazon.com/s3/pricing/: 0.005 USD for 1,000 of PUT, COPY, POST, LIST and 0.0004 for GET.
        ("s3", "ListBuckets", Consumption(), 5.0),
        ("s3", "PutObject", Consumption(sent=10**9), 5.0),
        ("s3", "GetObject", Consumption(received=10**9), 0.4),
        ("s3", "DeleteObject", Consumption(), 0.0),
        # https://aws.amazon.com/sqs/pricing/: 0.40 USD a million, each 64 KB a request, FIFO 0.50.
        ("sqs", "ReceiveMessage", Consumption(), 0.4),
        ("sqs", "SendMessage", Consumption(sent=64 * KIB), 0.4),
        ("sqs", "SendMessageBatch", Consumption(sent=64 * KIB + 1), 0.8),
        ("sqs", "SendMessageBatch", Consumption(sent=256 * KIB), 1.6),
        ("sqs", "SendMessage", Consumption(fifo=True), 0.5),
        ("sns", "Publish", Consumption(sent=10), 0.5),
        # https://aws.amazon.com/dynamodb/pricing/on-demand/: 0.125 and 0.625 USD a million units.
        ("dynamodb", "GetItem", Consumption(received=100), 0.0625),
        ("dynamodb", "GetItem", Consumption(received=100, consistent=True), 0.125),
        ("dynamodb", "GetItem", Consumption(received=100, parsed={"ConsumedCapacity": {"CapacityUnits": 3.0}}), 0.375),
        (
            "dynamodb",
            "BatchGetItem",
            Consumption(parsed={"ConsumedCapacity": [{"CapacityUnits": 1.0}, {"CapacityUnits": 2.0}]}),
            0.375,
        ),
        ("dynamodb", "PutItem", Consumption(sent=1500), 1.25),
        ("kms", "Decrypt", Consumption(), 3.0),
        ("secretsmanager", "GetSecretValue", Consumption(), 5.0),
        ("ssm", "GetParameter", Consumption(), 0.0),
        ("kinesis", "PutRecords", Consumption(sent=100, parsed={"Records": [{}, {}, {}]}), 0.042),
        ("events", "PutEvents", Consumption(sent=100, parsed={"Entries": [{}, {}]}), 2.0),
        ("logs", "PutLogEvents", Consumption(sent=1024**3), 500_000.0),
        ("cloudwatch", "PutMetricData", Consumption(), 10.0),
        ("lambda", "Invoke", Consumption(), 0.2),
    ],
)
def test_what_a_call_costs(
    table: PriceTable, service: str, operation: str, call: Consumption, micro_dollars: float
) -> None:
    price = table.price(service, operation)
    assert price is not None
    assert price.of(call) == pytest.approx(micro_dollars)


@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "SelectObjectContent"), ("dynamodb", "CreateTable"), ("ec2", "DescribeInstances"), ("s3", "*")],
)
def test_what_is_not_in_the_table_has_no_price(table: PriceTable, service: str, operation: str) -> None:
    assert table.price(service, operation) is None

"""A dramatiq broker on SQS, and its actor."""

import os

import dramatiq
from dramatiq_sqs import SQSBroker

from benchmarks.workers.jobs import QUEUE, job

dramatiq.set_broker(SQSBroker(endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"]))
dramatiq.actor(job, actor_name="job", queue_name=QUEUE)

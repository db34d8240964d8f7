"""A Celery application.

With its default polling interval of one second a worker of kombu 5.7 handles eight messages a second, because it also
waits that long whenever all that it may prefetch is there; hence 0 here.
"""

import os

from celery import Celery

from benchmarks.workers.jobs import QUEUE, job

app = Celery("bench", broker=os.environ["AWS_ENDPOINT_URL"].replace("http://", "sqs://bench:bench@"))
app.conf.update(
    task_acks_late=True,
    task_default_queue=QUEUE,
    task_ignore_result=True,
    worker_enable_remote_control=False,
    broker_transport_options={
        "is_secure": False,
        "region": os.environ["AWS_REGION"],
        "polling_interval": 0,
        "wait_time_seconds": 20,
        "predefined_queues": {
            QUEUE: {
                "url": os.environ["QUEUE_URL"],
                "access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
                "secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
            }
        },
    },
)
app.task(job, name="job")

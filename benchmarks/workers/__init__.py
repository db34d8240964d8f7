"""Workers: baselib beside loops over boto3 and the other consumers of SQS that can be installed."""

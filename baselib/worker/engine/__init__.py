"""The engine of a worker daemon: receives, hands out, deletes, and keeps what is held invisible to others.

A message is deleted after its work is done and never before, so that a crash repeats work and loses none. Calls of SQS
go in batches of ten, which is what makes a consumer cheap.
"""

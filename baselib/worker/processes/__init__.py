"""Handlers in processes of their own, for work that keeps the interpreter busy.

Receiving, extending and deleting stay in the worker's process, so that a handler that holds the interpreter's lock, or
is killed, endangers no message but its own.
"""

"""Real Kafka and real PostgreSQL as child processes of this one: no Docker, no root and no Java on the machine."""

from local_stack.errors import LocalStackError
from local_stack.machine import free_port
from local_stack.processes import ChildProcess
from local_stack.stack import LocalStack

__all__ = ["ChildProcess", "LocalStack", "LocalStackError", "free_port"]

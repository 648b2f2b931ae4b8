"""The basement: the only code that knows Kafka and commits. Start reading in `delivery.py`."""

from service_runtime.handlers import CancelTimer, Cause, Handlers, SetTimer
from service_runtime.service import Service
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work import UnitOfWork

__all__ = ["CancelTimer", "Cause", "Handlers", "RuntimeSettings", "Service", "SetTimer", "UnitOfWork"]

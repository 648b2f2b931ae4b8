"""The batch orchestrator: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.batch_orchestrator_service.api import routes
from services.batch_orchestrator_service.handlers import handlers

service = Service(name="batch-orchestrator", handlers=handlers, router=routes)

"""The batch orchestrator: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.batch_orchestrator_service.api import operator_routes, routes
from services.batch_orchestrator_service.handlers import handlers
from services.batch_orchestrator_service.metrics import gauges
from services.batch_orchestrator_service.retention import end_retention
from services.batch_orchestrator_service.settings import Settings

service = Service(
    name="batch-orchestrator",
    handlers=handlers,
    router=routes,
    settings=Settings,
    operator_router=operator_routes,
    gauges=gauges,
    housekeeping=end_retention,
)

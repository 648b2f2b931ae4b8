"""python -m services.batch_orchestrator_service."""

from services.batch_orchestrator_service.service import service

service.run()

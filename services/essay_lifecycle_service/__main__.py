"""python -m services.essay_lifecycle_service."""

from services.essay_lifecycle_service.service import service

service.run()

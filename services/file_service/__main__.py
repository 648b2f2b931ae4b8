"""python -m services.file_service."""

from services.file_service.service import service

service.run()

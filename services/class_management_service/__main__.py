"""python -m services.class_management_service."""

from services.class_management_service.service import service

service.run()

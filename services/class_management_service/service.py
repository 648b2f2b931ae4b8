"""The class management: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.class_management_service.api import routes
from services.class_management_service.handlers import handlers

service = Service(name="class-management", handlers=handlers, router=routes)

"""The class management: start reading here, then `handlers.py`."""

from service_runtime import Service

from services.class_management_service.handlers import handlers
from services.class_management_service.settings import Settings
from services.class_management_service.student_data import operator_routes, routes

service = Service(
    name="class-management", handlers=handlers, router=routes, settings=Settings, operator_router=operator_routes
)

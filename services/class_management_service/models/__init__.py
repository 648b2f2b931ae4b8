"""The aggregates of class management: a class with its roster, and a batch's validation."""

from services.class_management_service.models.associations import StudentAssociation
from services.class_management_service.models.base import Base
from services.class_management_service.models.classes import SchoolClass, Student, StudentEntry
from services.class_management_service.models.erasures import StudentErasure
from services.class_management_service.models.validations import Validation

__all__ = ["Base", "SchoolClass", "Student", "StudentAssociation", "StudentEntry", "StudentErasure", "Validation"]

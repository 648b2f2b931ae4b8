"""What all tables of this service's database share."""

from service_runtime.tables import NAMING, TYPES, add_runtime_tables
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of this service's database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)

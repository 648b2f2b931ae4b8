"""Where the migrations of the services are."""

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_IN_CHECKOUT = _HERE.parents[3] / "alembic.ini"
_INSTALLED = _HERE / "alembic.ini"

ALEMBIC_INI = _INSTALLED if _INSTALLED.exists() else _IN_CHECKOUT
"""Alembic's configuration: the wheel carries it and the migrations in this package."""

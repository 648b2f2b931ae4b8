"""Every route of the five services, for tests that must not forget one."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import SecretStr
from service_runtime import Service
from service_runtime.auth import Required, Role

SERVICES: list[Service] = [
    importlib.import_module(f"services.{main.parent.name}.service").service
    for main in sorted((Path(__file__).parents[1] / "services").glob("*/__main__.py"))
]


@dataclass(frozen=True)
class Route:
    """A way into a service."""

    service: Service
    context: RouteContext
    method: str

    @property
    def path(self) -> str:
        """Its path, with parameters in braces."""
        return str(self.context.path_format)

    def __str__(self) -> str:
        return f"{self.service.name} {self.method} {self.path}"

    @property
    def declared(self) -> list[tuple[Role, ...]]:
        """Each declaration of who may use it."""
        dependant = getattr(self.context, "dependant", None)
        return [call.roles for call in _calls(dependant) if isinstance(call, Required)]


def routes_of(service: Service) -> list[Route]:
    """All routes of a service, of whatever kind."""
    settings = service.settings(
        database_url="postgresql://nowhere/none", kafka_bootstrap_servers="nowhere", jwt_secret=SecretStr("s" * 32)
    )
    contexts = iter_route_contexts(service.app(settings).routes)
    return [Route(service, each, method) for each in contexts for method in sorted((each.methods or {""}) - {"HEAD"})]


def _calls(dependant: Dependant | None) -> Iterator[object]:
    if dependant is not None:
        yield dependant.call
        for inner in dependant.dependencies:
            yield from _calls(inner)


ROUTES = [route for service in SERVICES for route in routes_of(service)]

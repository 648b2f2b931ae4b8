"""The plan of the house, as checks: who may know what, where things stand, and how long they may grow.

Who may import whom is checked by import-linter (pyproject.toml, `make check`); what it cannot see is checked here.
"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import common_core.events
import pytest
from common_core.events import Event
from service_runtime.http import UnitOfWorkRoute

from tests.routes import ROUTES, Route

ROOT = Path(__file__).parents[1]
SERVICES = sorted(path.parent for path in (ROOT / "services").glob("*/__main__.py"))
SOURCES = sorted(
    path for folder in ("libs", "services", "cli", "scripts", "alembic") for path in (ROOT / folder).rglob("*.py")
)

IN_EVERY_SERVICE = {"README.md", "__init__.py", "__main__.py", "service.py", "handlers.py"}
JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers", "impl"}
OF_THE_LANGUAGE = {"collections", "common_core", "dataclasses", "datetime", "enum", "pydantic", "typing", "uuid"}

# Said for systems outside: nobody of ours decides about them.
FOR_OUTSIDE = {
    "BatchContentIngestionFailedV1",
    "BatchReadyForPipelineExecutionV1",
    "EssaySlotAssignedV1",
    "ExcessContentProvisionedV1",
    "StudentDataErasedV1",
    "StudentValidationRequestedV1",
}

# For whoever reaches the port: they tell how a process is and what its routes are, nothing about anybody.
OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}

# Who has no database to ask: people at a command line who issue tokens, and tests.
TELLS_ITS_OWN_TIME = {"auth.py", "testing.py"}
DATED = [
    path
    for path in SOURCES
    if any(path.is_relative_to(ROOT / folder) for folder in ("libs/common_core", "libs/service_runtime", "services"))
]
WALL_CLOCKS = {
    f"{kind}.{name}"
    for kind, names in {
        "time": ("time", "time_ns", "localtime", "gmtime", "ctime", "strftime"),
        "datetime": ("now", "utcnow", "today"),
        "date": ("today",),
    }.items()
    for name in names
}

LONGEST_FILE, LONGEST_FUNCTION = 250, 40


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def called(path: Path) -> Iterator[str]:
    """The names of the methods a file calls."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr


def used(path: Path) -> Iterator[str]:
    """What a file takes from modules and classes, as `time.time` or `datetime.now`."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Attribute):
            yield ".".join(ast.unparse(node).split(".")[-2:])
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_checks_see_the_house() -> None:
    assert len(SERVICES) >= 5
    assert len(SOURCES) > 50


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_has_the_same_rooms(service: Path) -> None:
    missing = IN_EVERY_SERVICE - {path.name for path in service.iterdir()}

    assert not missing, f"{name(service)} lacks {missing}: a reader looks for the same file names in every service"


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_every_service_runs_in_containers(service: Path) -> None:
    compose, databases = (
        (ROOT / path).read_text(encoding="utf-8")
        for path in ("docker-compose.yml", "deploy/postgres/create-databases.sh")
    )

    assert f"\n  {service.name}:\n" in compose, f"docker-compose.yml does not start {service.name}"
    assert f"={service.name}:8000" in compose, f"the gateway in docker-compose.yml has no port for {service.name}"
    assert f"'{service.name}'" in databases, f"create-databases.sh makes no database for {service.name}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_file_is_a_junk_drawer(path: Path) -> None:
    words = set(path.stem.lower().split("_"))

    assert path.name == "base.py" or not words & JUNK_DRAWERS, f"{name(path)}: name a file by the one thing it is about"


@pytest.mark.parametrize("path", sorted((ROOT / "services").rglob("*.py")), ids=name)
def test_only_the_runtime_commits_and_knows_kafka(path: Path) -> None:
    ends = {"commit", "rollback", "begin", "begin_nested"} & set(called(path))
    wire = {module for module in imported(path) if module.split(".")[0] in {"aiokafka", "asyncpg"}}

    assert not ends, f"{name(path)} calls {ends}: a handler decides, the runtime commits (unit_of_work.py)"
    assert not wire, f"{name(path)} imports {wire}: only the runtime talks to Kafka and to the driver"


@pytest.mark.parametrize("path", sorted((ROOT / "services").rglob("*.py")), ids=name)
def test_tables_stand_with_the_models(path: Path) -> None:
    inside = path.relative_to(ROOT / "services").parts[1:]
    tables = "__tablename__" in path.read_text(encoding="utf-8")

    assert not tables or inside[0] in ("models.py", "models"), f"{name(path)} declares a table: move it to the models"


@pytest.mark.parametrize("path", DATED, ids=name)
def test_nobody_asks_the_clock_of_the_process(path: Path) -> None:
    clocks = WALL_CLOCKS & set(used(path))

    assert not clocks or path.name in TELLS_ITS_OWN_TIME, (
        f"{name(path)} uses {clocks}: only the database's time decides; take cause.at, or now() in SQL"
    )


def logged(path: Path) -> Iterator[str]:
    """The names of the log lines that are there at the usual level."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[ast.Constant(value=str(said))]
            ):
                yield from [said] if level != "debug" else []


def test_operators_find_every_log_line_explained() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    lines = {line for path in DATED for line in logged(path)}

    assert "message_parked" in lines
    unknown = sorted(line for line in lines if f"`{line}`" not in page)
    assert not unknown, f"operations.md does not say what {unknown} mean: add them to its table below Logs"


@pytest.mark.parametrize("path", sorted((ROOT / "libs/common_core/src").rglob("*.py")), ids=name)
def test_the_language_does_no_io(path: Path) -> None:
    foreign = {module.split(".")[0] for module in imported(path)} - OF_THE_LANGUAGE

    assert not foreign, f"{name(path)} imports {foreign}: common_core is pydantic and plain Python, without any I/O"


def events() -> list[type[Event]]:
    return [event for event in Event.types.values() if event.__module__.startswith(common_core.events.__name__)]


def handled() -> set[str]:
    tables = [importlib.import_module(f"services.{service.name}.handlers").handlers for service in SERVICES]
    return {event.__name__ for table in tables for event in table.events}


@pytest.mark.parametrize("event", events(), ids=lambda event: event.__name__)
def test_every_event_says_what_it_means_and_somebody_listens(event: type[Event]) -> None:
    somebody = event.__name__ in handled()

    assert "__doc__" in vars(event), f"{event.__name__} has no docstring: say what happened, docs/events.md shows it"
    assert event.__doc__, f"{event.__name__} has an empty docstring"
    assert somebody or event.__name__ in FOR_OUTSIDE, f"nobody handles {event.__name__}: if outsiders do, say so above"
    assert not (somebody and event.__name__ in FOR_OUTSIDE), f"{event.__name__} has a handler: take it off FOR_OUTSIDE"


def test_the_checks_see_the_routes() -> None:
    assert {route.service.name for route in ROUTES if route.path == "/ops/dead-letters"} == {
        route.service.name for route in ROUTES
    }
    assert len([route for route in ROUTES if route.path.startswith("/v1/")]) >= 17


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_says_who_may_use_it(route: Route) -> None:
    if route.path in OPEN:
        assert not route.declared, f"{route} needs a token: take it off OPEN"
        return
    assert len(route.declared) == 1, f"{route} must take its caller once, as Teacher, Reader, Operator or AnyReader"
    assert isinstance(route.context.original_route, UnitOfWorkRoute), f"{route} must stand on router() of http.py"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_stay_short(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{name(path)} has {lines} lines, {LONGEST_FILE} are allowed: one job per file"

    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "alembic" not in path.parts[-3:-1]:
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            where = f"{name(path)}:{node.name}"
            assert length <= LONGEST_FUNCTION, f"{where} has {length} lines: give its parts names"

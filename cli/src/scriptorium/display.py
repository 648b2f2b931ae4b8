"""What the user sees."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from scriptorium.system import System

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=100)


def say(line: str) -> None:
    """One line, as long as it is."""
    console.print(line, markup=False, soft_wrap=True)


def addresses(system: System, env_file: Path | None) -> Table:
    """Where everything is."""
    table = Table.grid(padding=(0, 3))
    for service in system.services:
        table.add_row(f"  {service.member.title}", service.url)
    table.add_row("  Kafka", system.stack.kafka_bootstrap_servers)
    table.add_row("  PostgreSQL", system.stack.postgres_url("…"))
    table.add_row("  logs", str(system.logs))
    if env_file:
        table.add_row("  env file", str(env_file))
    return table

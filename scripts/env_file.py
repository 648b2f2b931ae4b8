"""Prints the contents of a .env for docker-compose.yml: .env.example with secrets of its own and without demo mode."""

import argparse
import re
import secrets
import socket
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"


def main() -> None:
    """Changes the example, so that a new setting there needs no change here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--free-ports", action="store_true", help="ports that are free now, instead of the usual ones")
    wanted = parser.parse_args()
    example = EXAMPLE.read_text(encoding="utf-8").replace("SCRIPTORIUM_DEMO=true", "SCRIPTORIUM_DEMO=false")
    text = re.sub(r"insecure-example\S*", lambda _: secrets.token_hex(32), example)
    if wanted.free_ports:
        for port in re.findall(r"_PORT=(\d+)", example):
            text = re.sub(rf"\b{port}\b", str(_free_port()), text)
    # What the example's comments say is about the example.
    sys.stdout.writelines(f"{line}\n" for line in text.splitlines() if line and not line.startswith("#"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()

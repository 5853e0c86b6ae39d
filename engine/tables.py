"""All tables: every module that declares some is imported here, for only then the metadata has them all."""

from __future__ import annotations

from engine import (  # noqa: F401 - each declares tables, or indexes of them
    account_models,
    archive_models,
    case_models,
    command_models,
    compiled_models,
    indexes,
    models,
    schedule_models,
    schema,
)

METADATA = models.Base.metadata

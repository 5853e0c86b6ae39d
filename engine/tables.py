"""All tables: every module that declares some is imported here, for only then the metadata has them all."""

from __future__ import annotations

from engine import (
    account_models,
    archive_models,
    case_models,
    command_models,
    compiled_models,
    indexes,
    models,
    schedule_models,
    schema,
    value_models,
)

#: What declares tables, or indexes of them.
MODULES = (
    models,
    account_models,
    archive_models,
    case_models,
    command_models,
    compiled_models,
    schedule_models,
    value_models,
    schema,
    indexes,
)
METADATA = models.Base.metadata

"""What `onething lint` finds in one set of files, without a database that knows others."""

from collections.abc import Mapping

from bpmn import lint
from bpmn.errors import Finding
from bpmn.lint import Known

NOTHING_KNOWN = Known()


def linted(resources: Mapping[str, bytes], known: Known = NOTHING_KNOWN) -> list[Finding]:
    """Return errors and warnings of files by name, in the order of files and lines."""
    return lint.judge(*lint.examine(resources, known), resources)

"""Prints the diagram of a case: `python -m tests.conformance gateways/alone "Exclusive: the first flow that holds"`."""

from __future__ import annotations

import sys

from tests.conformance import drawing, reading

if __name__ == "__main__":
    wanted = ": ".join(sys.argv[1:])
    sys.stdout.write("".join(drawing.draw(case.drawing).decode() for case in reading.cases() if case.name == wanted))

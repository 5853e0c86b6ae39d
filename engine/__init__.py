"""Everything persistent: tables, execution, timers, working-day clocks and the verbs of the domain.

Which noun lives where: docs/from-drawing-to-commit.md.
"""

"""Everything persistent: tables, execution, timers, working-day clocks and the verbs of the domain."""

"""Simulation (仿真): the real application on a database in memory, people who act in it, and a clock that is told the time."""

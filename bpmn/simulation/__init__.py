"""Simulation (仿真): sample data for a drawing, what of it was reached, and a picture of that.  Nothing runs here."""

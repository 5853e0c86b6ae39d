"""A trial of strength: many nodes on one database, many clerks, and everything that can go wrong with either; `make soak`."""

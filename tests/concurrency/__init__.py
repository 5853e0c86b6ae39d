"""Whatever dies, and whoever comes at the same time: nothing is lost, doubled or forgotten."""

"""A matter as its files describe it: items, order, limits, situations, materials; what follows from them, without running anything."""

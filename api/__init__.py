"""The faces of the engine: `/api/v1`, the page at `/`, and the command line."""

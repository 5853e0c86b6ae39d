"""What the users must be able to do, through HTTP, on a real database."""

"""Other libraries' surfaces on our engine."""

__all__: list[str] = []

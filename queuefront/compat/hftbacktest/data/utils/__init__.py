"""The converters of `hftbacktest.data.utils`."""

__all__: list[str] = []

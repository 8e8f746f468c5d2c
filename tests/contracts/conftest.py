"""The engines' fixtures."""

from tests.engines import address, database, published

__all__ = ["address", "database", "published"]

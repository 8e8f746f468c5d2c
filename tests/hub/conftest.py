"""The engines' fixtures."""

from tests.engines import address, database, published, shared_postgres_url

__all__ = ["address", "database", "published", "shared_postgres_url"]

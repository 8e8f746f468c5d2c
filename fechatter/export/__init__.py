"""A workspace as lines of JSON, for other programs: what people said and where, and no secret."""

"""The contract as a document: `/openapi.json`, and the pages that are made from it once, at the first request."""

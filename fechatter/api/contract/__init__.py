"""The contract as a document: `/openapi.json` and the pages made from it. It is built once, not per request."""

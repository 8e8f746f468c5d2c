"""The contract as a document: `/openapi.json` and the pages made of it. Nothing here is asked while a request is served."""

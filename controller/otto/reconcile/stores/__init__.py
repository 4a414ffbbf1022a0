"""The stores: documents of the spec repository, read and written for callers of the API."""

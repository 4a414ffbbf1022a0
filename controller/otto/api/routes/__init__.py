"""The stores by HTTP: one module for each, with a `router`."""

"""Zones: looked at, planned, changed, verified; and what sites and zones have to do with each other."""

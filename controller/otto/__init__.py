"""OttO: a controller that runs web sites from git."""

__version__ = "0.1.0"

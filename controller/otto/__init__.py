"""OttO: a controller that runs web sites from git."""

"""What OttO says of itself: logs for reading, metrics for watching."""

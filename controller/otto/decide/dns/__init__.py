"""What is decided about zones and their records. Pure."""

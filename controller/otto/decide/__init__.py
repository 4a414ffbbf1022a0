"""Pure functions over the model: what differs, what to do about it, whether that may be done."""

"""The commands of `otto`, one noun each. What they need is imported when they are called."""

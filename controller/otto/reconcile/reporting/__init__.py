"""Forges are told what became of commits, and what pull requests would do."""

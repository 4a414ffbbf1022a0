"""Watching the world between looks: provider events, and three tiers from cheap to dear.

Nothing here decides what to do. A tier that sees something new notes a sign and makes the site due; the
reconcile looks for itself.
"""

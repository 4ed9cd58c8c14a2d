"""Hypothesis without time limits: a busy machine is no bug."""

from hypothesis import settings

settings.register_profile("librarian", deadline=None)
settings.load_profile("librarian")

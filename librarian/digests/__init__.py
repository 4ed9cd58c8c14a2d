"""Digests: what a member is told of a week or a month of theirs, and what the group's head is told of all; who gets
one, by mail or as a file, and a record of who got what, so that nobody gets the same twice.

A member's is made from the store, by real names, for that member alone. The group's is made from the site's JSON, so
from what readers see, by the names that they see.
"""

"""Librarian: who uses how much of a Slurm QoS, from `sacct` to a static page."""

__version__ = "0.1.0"

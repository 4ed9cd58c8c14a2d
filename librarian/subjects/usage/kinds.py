"""Kinds of jobs and classes of their size, by which waiting times are told."""

from __future__ import annotations

KINDS = ("cpu", "gpu")
# A class ends with its number: of CPUs for jobs without GPUs, of GPUs for those with some.
TOPS = {"cpu": (1, 8, 64), "gpu": (1, 4, 8)}
SIZES = {"cpu": ("1", "2-8", "9-64", ">64"), "gpu": ("1", "2-4", "5-8", ">8")}
CLASSES = 4

"""Whether the numbers are Slurm's own: hours beside sreport's, running jobs beside squeue.

Asked for by a person, never by a cycle. sreport reads sums that slurmdbd makes of whole hours (its rollup), so what is
compared is what both know. `hours` and `running` ask, `compare` is pure, `reasons` says in words where a difference
may come from.
"""

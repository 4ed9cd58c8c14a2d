"""The runs of jobs: the ground of most other subjects.

Tells which rows of Slurm's accounting were left out, and since when data are old; the runs themselves are read by the
subjects after this one. Asked of sacct each cycle: what had not ended shortly before the last complete answer, and
once a day the whole window. Kept: every run of the window by DBIndex, what was asked and how it went, the rows that
were rejected. Missing can be: runs that Slurm hides (PrivateData), those that it has purged, and all that came since
the last complete answer.
"""

"""Who holds what: CPUs, GPUs, memory, jobs and billing, by user and bin; totals, and the runs that ended.

From the runs of `jobs`; Slurm is not asked. Kept: hours by user and by account and the runs that ended, for good; and
the bins of the window that are over, so that they need not be computed again. Missing can be: GPUs where Slurm does
not track them, and when within a run it was suspended, which Slurm does not tell.
"""

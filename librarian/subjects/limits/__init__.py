"""What may be held, which limit binds, how much of it is in use, and how near use came to it.

Asked each cycle: sacctmgr for the limits of QoS and accounts, scontrol for partitions; `librarian limits` asks
slurmctld what it counts. Kept: what Slurm said last, each change of the limits since the first time, and the bins of
the window measured against them. Missing can be: limits before the first answer ("not known", which is not "none"),
and since when the first that is known holds.
"""

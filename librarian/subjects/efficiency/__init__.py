"""Efficiency: how much of what runs held they really used, and of how much of it that is known.

From sacct's rows of steps and AdminComment (jobstats), asked for once a cycle of what ended since. Not known is what
ran before this subject was collected; what Slurm does not gather (JobAcctGatherType=none) or has purged; use of GPUs
where neither jobstats nor AutoDetect=nvml is there; the runs of others where PrivateData hides them. Of runs that go on
nothing is told.

For those who build on it: `model` is one run (`UsedRun`) and sums of them (`Hours`), `keep.RunUses` gives runs of the
window one by one and totals of any time, `facts.EfficiencyFacts` are totals and bins of a report's window.
"""

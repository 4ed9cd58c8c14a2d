"""Who is pending, for what and why; what was asked for over time; how long jobs waited before they started.

Asked of squeue each cycle, and by `librarian queue` at once; waiting times come from the runs of `jobs`. Kept: the
queue as it was last told, and samples of what was asked for, in slots of time, for good. Missing can be: times in
which nobody looked (shown as such), jobs that Slurm hides, and estimates of the next start, which Slurm does not
always have.
"""

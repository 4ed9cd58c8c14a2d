"""Calendar months: hours of users and accounts, runs that ended, and the pace of yearly allocations.

From the hours that `usage` keeps for good, which a backfill can extend into the past; Slurm is not asked. Nothing is
kept but sums that follow the hours. Missing can be: months before the first run that nobody has fetched, and accounts
in hours that an older release kept; how much of a month is known is always told.
"""

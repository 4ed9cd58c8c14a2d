"""The table of jobs: what became of each job of the window, for the page, in files of a day each.

From the store alone: runs of `jobs`, what they used from `efficiency`. There only where `[privacy] jobs` says so. What
is not known of a run is null in the files; of runs that ended before what the store keeps there is nothing.
"""

"""One room a Slurm command: build the argument list, run it, parse its answer."""

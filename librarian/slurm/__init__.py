"""Running Slurm's commands, and what every parser of their answers needs."""

"""Our entries in a user's table of Slurm's cron: writing them, and the watchdog that puts them right."""

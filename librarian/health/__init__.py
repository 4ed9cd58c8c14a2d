"""How the runs fare: the status on disk, what it says to people and monitors, alerts."""

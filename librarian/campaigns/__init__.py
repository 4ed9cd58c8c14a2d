"""Campaigns: a sweep over parameters as Slurm job arrays, seen as one line from its parameters to its table.

Slurm is queue, scheduler and engine. What it does not keep is text in a folder a campaign, and outlives Librarian:

campaign.json      name, description, hash of the script, git commit, how the script is called
script             a copy of the script
tasks.csv          a row a task: its number, which repetition it is, its parameters
submissions.jsonl  what was handed to Slurm, a line an event, written before it is done
states.json        how tasks ended, as Slurm told it last: Slurm forgets, this does not
arrays/, params/, results/, logs/   what tasks read and write

It submits jobs, so it is apart from the reporter: own commands, no store, no configuration needed, nothing heavy.
"""

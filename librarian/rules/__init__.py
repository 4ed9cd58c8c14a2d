"""Rules on the report's own numbers, and who is told when one fires or clears.

`readings` takes values out of the JSON of a QoS, as its readers see it; `hysteresis` says from one look to the next
whether a rule fires; `evaluate` goes through all rules and says what is to be told; `history` replays what is kept by
bin; `statefile` keeps it between runs; `payloads` and `channels` tell. A value that is not known neither fires nor
clears.
"""

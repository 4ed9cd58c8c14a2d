"""JSON: numbers, what all files have in common, the index of a site, reading it again."""

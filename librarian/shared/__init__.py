"""Words and units that all subjects share: times, TRES, resources, names, numbers in text, the report."""

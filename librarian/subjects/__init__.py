"""What the page tells, a folder a subject. `listed` has the list, `subject` what the cycle may ask of each."""

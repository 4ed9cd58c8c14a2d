"""The last week beside the one before it: hours, runs that ended, how long jobs waited, and who changed most.

From the bins of the window that are over, so the numbers stay when a week has passed. Without two whole weeks in the
window nothing is compared.
"""

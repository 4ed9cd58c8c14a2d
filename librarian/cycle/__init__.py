"""One run: collect, report, render, publish, tidy up. It goes through the list of subjects and knows none by name."""

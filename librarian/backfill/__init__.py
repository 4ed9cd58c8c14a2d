"""Years before the window: which to fetch, slice by slice into the store, or as a job array whose parts are merged."""

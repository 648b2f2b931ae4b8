"""One file per library: how one uses it for the trials, as its documentation says."""

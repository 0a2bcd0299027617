"""Any decision log by a mapping: what its columns mean, how they are read, what is missing."""

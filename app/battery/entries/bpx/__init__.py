"""BPX documents: read by an entry, and written from parameter values. Battery Parameter eXchange is a standard."""

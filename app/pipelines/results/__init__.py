"""Results of elements: parsed, typed, merged; and their series."""

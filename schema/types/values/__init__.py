"""Values: scalars, enums, and the factory of input objects."""

"""Data Fits: parameters, searches for their best values, and how well the data know them."""

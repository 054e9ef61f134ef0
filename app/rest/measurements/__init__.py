"""REST API of measurements and cells, by Ionworks' contract, with its uploads and downloads."""

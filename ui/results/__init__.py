"""Read the files of assets/metrics for the pages."""

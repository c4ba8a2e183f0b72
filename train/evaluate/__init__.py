"""Score trained networks on a subset of patients, with calibration."""

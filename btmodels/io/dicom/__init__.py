"""Read DICOM files and join them into series."""

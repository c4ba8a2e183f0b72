"""Write masks and reports: PNG, TIFF, CSV, zip, NIfTI, DICOM-SEG, PDF."""

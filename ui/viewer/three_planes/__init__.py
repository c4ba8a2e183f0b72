"""Coronal and sagittal planes next to the axial slice, cut in the browser from the volume's slices."""

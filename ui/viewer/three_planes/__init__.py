"""Coronal and sagittal planes beside the axial slice, cut in the browser from the volume's slices."""

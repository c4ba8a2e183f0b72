"""Scanner files and zips that are broken or meant to hurt: slices or one sentence, never anything else."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from btmodels.errors import DecodeError
from btmodels.io.read import read_file
from btmodels.io.zip import unzip
from tests.btmodels.reading import read
from tests.btmodels.scanner import dicom, nifti

VALUES = np.arange(4 * 6 * 8, dtype=np.int16).reshape(4, 6, 8)


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/x.tif", bytes(500))
        file.writestr("y", b"abc")
    return buffer.getvalue()


SEEDS = {
    "plain.dcm": dicom(VALUES[0], WindowCenter=50, WindowWidth=90, RescaleSlope=2),
    "frames.dcm": dicom(VALUES),
    "implicit.dcm": dicom(VALUES[0], ImplicitVRLittleEndian),
    "deflated.dcm": dicom(VALUES[0], DeflatedExplicitVRLittleEndian),
    "colors.dcm": dicom(np.zeros((4, 5, 3), np.uint8)),
    "one.nii": nifti(VALUES, np.diag([1.0, 2, 3, 1])),
    "two.nii": nifti(VALUES.astype(np.float32), np.eye(4), two=True),
    "many.nii": nifti(np.stack([VALUES] * 3, axis=-1)),
    "files.zip": a_zip(),
}


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutation_raises_anything_else(data):
    name = data.draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(SEEDS[name])
    # Most edits go to the fields, of which DICOM has a thousand bytes and NIfTI its first 352.
    place = st.integers(0, min(1200, len(content) - 1)) | st.integers(0, len(content) - 1)
    for at, value in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=6)):
        content[at] = value
    end = data.draw(st.just(len(content)) | st.integers(0, len(content)))
    try:
        if name.endswith(".zip"):
            unzip(bytes(content[:end]), name)
            return
        read_file(bytes(content[:end]), name)
    except DecodeError as error:
        assert str(error).startswith(name)
        return
    for study in read([(name, bytes(content[:end]))]).studies:
        for each in study.slices:
            assert each.pixels.dtype == np.uint8 and each.pixels.shape[2] == 3
            spacing = each.spacing or (1.0, 1.0)
            assert all(np.isfinite(step) and step > 0 for step in spacing)

"""Downloads beyond the slice on screen: a table, masks of the whole volume, a zip of everything."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from btmodels.export import dicom_seg, files, nifti
from btmodels.measurement.study import StudySummary
from btmodels.slices import FLAIR, Analysis, Slice
from ui.session import analysis as networks
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared.content import sections


def exports(analyzed: Analyzed, view: View, analysis: Analysis) -> None:
    """Draw a collapsed list of the stack's downloads; files are made on demand.

    Args:
        analyzed: The stack; until it is fully analyzed, only the slice on screen can be downloaded.
        view: Its threshold applies to all masks.
        analysis: Analysis of the slice on screen.
    """
    each = analysis.slice

    def all_of_it() -> list[Analysis]:
        there = [one for one in analyzed.analyses if one is not None]
        return [networks.at_threshold(one, view.threshold) for one in there]

    def studies() -> list[StudySummary]:
        return analyzed.at_threshold(view.threshold).summaries()

    def volume() -> list[Analysis]:
        return nifti.of_volume(all_of_it(), each)

    folded = st.expander(
        "More downloads", icon=":material/archive:", key="exports.open", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        stopped = sum(key in analyzed.stopped for key in analyzed.stack.keys)
        done = sum(one is not None for one in analyzed.analyses)
        complete = done + stopped >= len(analyzed.analyses)
        _button(
            "Mask as PNG",
            lambda: files.mask_png(files.own_mask(analysis)),
            f"{files.safe_stem(each.name)}_mask.png",
            "image/png",
            "This slice's mask, 0 and 255.",
        )
        _button(
            "Figures as CSV",
            lambda: files.table_csv(all_of_it(), studies()),
            "slices.csv",
            "text/csv",
            "A row for each slice: probability, marked pixels, shares, mm², Dice; and one for all of them, "
            "with volume and side. Opens in Excel.",
            complete,
        )
        _button(
            "Masks as NIfTI",
            lambda: nifti.nifti_mask(volume()),
            nifti.nifti_name(each),
            "application/gzip",
            "The masks of all slices as one volume, with the geometry of your file, for programs such "
            "as 3D Slicer or ITK-SNAP.",
            complete,
        )
        reason = dicom_seg.why_no_seg(each)
        if not reason:
            _button(
                "Masks as DICOM-SEG",
                lambda: dicom_seg.dicom_seg(volume()),
                dicom_seg.seg_name(each),
                "application/dicom",
                "A DICOM segmentation that refers to your series, for radiology viewers.",
                complete,
            )
        _button(
            "Everything as a zip",
            lambda: _zip(all_of_it(), each, analyzed, studies()),
            "results.zip",
            "application/zip",
            "Masks and pictures of all slices, the figures, and the volume's masks.",
            complete,
        )
        if not complete:
            st.caption(
                f"{done} of {len(analyzed.analyses)} slices are analyzed; the other downloads appear "
                "when all are done."
            )
        elif reason and each.position is not None and each.position.grid.kind == "DICOM":
            st.caption(reason)
        if complete and stopped:
            many = "1 slice has" if stopped == 1 else f"{stopped} slices have"
            st.caption(
                f"{many} no mask, for the reason shown with it: it is empty in the volume's files "
                "and missing from the table."
            )
        _geometry(analysis)


def _geometry(analysis: Analysis) -> None:
    position = analysis.slice.position
    if position is None or position.grid.affine is None:
        st.caption(
            "These files give neither the size of a pixel nor the orientation, so the NIfTI volume "
            "has voxels of size 1 and no unit of length."
        )


def _zip(
    analyses: list[Analysis], each: Slice, analyzed: Analyzed, studies: list[StudySummary]
) -> bytes:
    volumes = {}
    for volume, stem in nifti.volume_stems(analyses).items():
        own = [
            one for one in analyses if one.slice.position and one.slice.position.volume == volume
        ]
        volumes[f"{stem}_mask.nii.gz"] = nifti.nifti_mask(own)
        if not dicom_seg.why_no_seg(own[0].slice):
            volumes[f"{stem}_seg.dcm"] = dicom_seg.dicom_seg(own)
    if not volumes:
        volumes[nifti.nifti_name(each)] = nifti.nifti_mask(nifti.of_volume(analyses, each))
    shown = zip(analyzed.stack.windows, analyzed.analyses, strict=True)
    windows = [window[FLAIR] for window, one in shown if one is not None]
    notice = sections("cards/analyze.md").get("Zip", "")
    return files.zip_of(analyses, volumes, notice, studies, windows)


def _button(
    label: str, make: Callable[[], bytes], name: str, mime: str, help: str, enabled: bool = True
) -> None:
    st.download_button(
        label,
        make,
        name,
        mime,
        help=help,
        disabled=not enabled,
        on_click="ignore",
        key=f"exports.{label}",
        icon=":material/download:",
        width="stretch",
    )

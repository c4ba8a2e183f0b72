"""Recognize the MRI sequence of a file or series, by its DICOM elements first, else by its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

SEQUENCES = {"pre": 0, "flair": 1, "post": 2}
"""Sequences that the networks were trained on, and the channel of each in a slice."""

TITLES = {
    "flair": "FLAIR",
    "pre": "T1 before contrast agent",
    "post": "T1 after contrast agent",
    "other": "another sequence",
}

_T1_NAMES = "mprage mp2rage bravo spgr fspgr vibe tfl tfl3d irspgr irfspgr".split()
_OTHER = set(
    "stir dwi adc eadc swi swan dti bold fmri epi asl loc localizer localiser localizador scout survey "
    "mra mrv tof angio perfusion perf dce dsc cbv cbf mtt ttp tmax ktrans ct trace tensor rho fieldmap "
    "b0 b1000 hemo fiesta ciss haste spectroscopy mrs csi calibration mip diffusion diff diffusie "
    "difusion noddi dki mtr mag2 phasemap rcbv rcbf nm veno venogram pca asset coil t2star gre3d map "
    "dyn dynamic starw mapping subtraction subtracted subtract substraction diff3d".split()
)
_CONTRAST = set(
    "contrast contraste contrasto kontrast kontrastmittel kontrastmiddel contrastmiddel kontrastem "
    "kontrastu kontrascie contraststof contrastado gd gad gado gadolinium gadolinio gadolinum dtpa "
    "gddtpa km mdc ce injection inj iv enhanced enhancement enh gadovist gadavist dotarem magnevist "
    "omniscan multihance prohance clariscan eovist primovist optimark vueway elucirem gadobutrol "
    "gadoterate gadoteric gadobenate gadoteridol gadodiamide gadopentetate gadoxetate gadopiclenol "
    "contrastgiven контраст контрастом контраста контрастирования контрастированием контрастное "
    "kontrastli cm agent medium injecte injectee injected civ ку wgd wgad "
    "kontrastom kontrastni kontrastnou kontrasztos kontrasztanyag kontrasztanyaggal varjoaine kontras "
    "σκιαγραφικο σκιαγραφικου".split()
)
_POST = set(
    "post after apres nach dopo depois despues posterior efter etter postcontrast postgad postgd "
    "postgado postc postkm postce poscontraste postcontraste pos после given tras sonrasi".split()
) - {"posterior"}
_PRE = set(
    "pre avant vor antes prima before voor przed fore precontrast pregad pregd native nativ nativo "
    "nativa natif nativen nativer plain unenhanced noncontrast nocontrast noncon noncontrasted nc "
    "basal basale simple nocontrastgiven до kontrastsiz oncesi fore precontraste sincontraste nongd "
    "nongad".split()
)
_NEGATIONS = set(
    "without wo no non not un sans sin sem senza ohne zonder uten utan uden bez без none nil ilman "
    "fara tanpa χωρισ".split()
)
_FILLERS = set(
    "de du del di da des the of i v iv e mezzo medio injection inj agent medium mittel any med milieu "
    "produit produto contrast contraste contrasto kontrast gad gado gd".split()
)
_BETWEEN = set("to onto into on in 2".split())
_REGISTERED = set("reg coreg registered coregistered warped aligned resampled resliced".split())
_VIEW = set(
    "ax axial axiale axt tra trans transversal transverse transverso sag sagittal sagital cor coronal "
    "coronale 3d 2d se tse fse ffe tfe gre ir fs fatsat fat sat spir spair dixon tirm space cube vista "
    "w wi weighted weight propeller blade mvxd iso isotropic fl2d fl3d tr mr head brain".split()
)
_PROCESSED = set(
    "bias stripped unstripped bet skullstripped masked norm normalized n4 preproc preprocessed unbiased "
    "lps ras rsri sri sri24 mni152 corrected resampled "
    "resliced registered reg coreg 1mm iso deface defaced rai".split()
)
_MASK_WORDS = set(
    "seg segm segmentation segmentations segmented mask masks label labels lbl roi lesion lesions tumor "
    "gtv annotation annotations groundtruth truth gt glistrboost manuallycorrected manual "
    "automated auto approx corrected final brain tissue".split()
)
_NOT_TUMOR = set(
    "brain brainmask tissue parenchyma skull head gm wm csf ventricle ventricles aseg aparc synthseg "
    "bet vessel vessels hippocampus cortex face defacing".split()
)
_TUMOR = set("tumor lesion lesions glistrboost gtv enhancing edema tumormask lesionmask".split())
_MASK_ENDS = set(
    "seg segm segmentation segmentations mask masks label labels lbl roi gtv groundtruth annotation "
    "annotations glistrboost aseg aparc brainmask synthseg tumormask lesionmask".split()
)
_MASKS_ABROAD = set(
    "maska masker maszk maske маска сегментация μασκα segmentering segmentacja szegmentacio "
    "掩模 掩膜 分割 标注 マスク 마스크".split()
)
_MASK_ENDS |= _MASKS_ABROAD
_LABELS = set(
    "dseg voi tumeur tumore lesionmask tumormask maske masque maschera mascara mascera "
    "segmentierung segmentacion segmentacao segmentazione segmentatie lasion whole core consensus expert "
    "annot ot et wt tc".split()
)
"""Other names of label volumes; they also occur in names of scans."""
_GLUED = re.compile(
    r"(?P<before>3d|2d|r|rr|c|ax|sag|cor|tra|ce|gd|gad|pre|post|fs|s|n4)?(?P<what>t1|t2|flair|pd)"
    r"(?P<after>w|wi|c|ce|gd|gad|gado|km|post|pre|n|f|flair|wce|wc|wgd|wpost|wgad|mprage|mpr|map|rho|"
    r"se|tse|fse|fs|spgr|vibe|tfe|ffe|fl2d|fl3d|sag|tra|ax|cor|3d|starw|star|tirm|space|contrast|nativ|nat|"
    r"reg|brain|bet|weighted|fspgr|bravo|contrastgiven|nocontrastgiven|plus|darkfluid|gre)?"
)
_BOTH = re.compile(
    r"\bw\s*/?\s*(?:&|and|\+|/)?\s*w\s*/?\s*o\b(?!\s*fs)|\bwith\s*(?:and|&|/|\+)\s*without\b"
    r"|\bpre\s*(?:and|&|/|\+|-|und|et|y|e)\s*post\b|\bsans\s*(?:et|/)\s*avec\b|\bsin\s*y\s*con\b"
    r"|\bmit\s*und\s*ohne\b|\bohne\s*und\s*mit\b|\bcon\s*e\s*senza\b|\bwithout\s*(?:and|&|/)\s*with\b"
    r"|\bwwo\b"
)
_REWRITTEN = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b(?:pre|post)[\s_-]*(?:op|ops|operativ\w*|operation|surg\w*|treat\w*|resect\w*|radi\w*|rt|"
         r"chemo\w*|biops\w*|proc\w*|ictal|natal|therap\w*|tx|mortem)(?![a-z])", " "),
        (r"(?<![a-z0-9])(?:sub|ses|run|space|task|desc|res|echo|part|dir)-[a-z0-9]+", " "),
        (r"(?<![a-z0-9])ce-(?:none|no|pre)(?![a-z0-9])", " nocontrastgiven "),
        (r"(?<![a-z0-9])ce-[a-z0-9]+(?=_)", " contrastgiven "),
        (r"(?<![a-z0-9])acq-", " "),
        (r"t2\s?\*", " t2star "),
        (r"\bmp[\s-]rage", "mprage"),
        (r"(?:dark|(?<![a-z])da)[\s_-]*fl(?:uid|air)?(?![a-z])", "darkfluid"),
        (r"\bfluid[\s_-]*attenuated[\s_-]*inversion\w*([\s_-]*recovery)?", " flair "),
        (r"\bfør\b", " fore "),
        (r"(?<=tumo)u(?=r)", ""),
        (r"(?<![a-z])k\.\s?l\.", " kontrast "),
        (r"(?<![a-z])o\.\s?(?=km|kontrast)", " ohne "),
        (r"\b(?:pha|mag|mip)_images?", " swi "),
        (r"(t1ce|t1c|t1gd|t1|t2|flair)2(t1|t2|flair|mni)", r"\1 to \2"),
        (r"(?<![a-z0-9])w\s?[/\\]\s?o(?:ut)?(?![a-z])", " without "),
        (r"(?<![a-z0-9])w\s?/", " with "),
        (r"(?<![a-z0-9])s/\s?(?=c|g|mdc)c?(?![a-z])", " without contrast "),
        (r"(?<![a-z0-9])s/\s?(?=con|gd|gad|mdc)", " without "),
        (r"(?<![a-z0-9])c/\s?(?:c(?![a-z])|(?=con|gd|gad|mdc))", " contrastgiven "),
        (r"(?<![a-z0-9])m\.\s?d\.\s?c\.?", " mdc "),
        (r"(?<![a-z])c\s?\+|\(\s?\+\s?\)|\+\s?(?:c|gd|gad|gado|km|ce|iv|contraste?|mdc)(?![a-z])",
         " contrastgiven "),
        (r"(?<![a-z])c-(?=[\s_)]|$)|(?<=[\s(])-\s?c(?![a-z])|\(\s?-\s?\)", " nocontrastgiven "),
        (r"(?<=t1)(w?)\s?\+(?=[\s_)]|$)", r"\1 contrastgiven "),
        (r"\bnon?[\s_-]+(?:contrast\w*|con|gd|gad\w*|ce)(?![a-z])", " nocontrast "),
        (r"\bplane?[\s_-]+loc\w*", " localizer "),
        (r"\bfield[\s_-]*map", " fieldmap "),
        (r"([a-z0-9])([^\x00-\u04ff])", r"\1 \2"),
        (r"([^\x00-\u04ff])([a-z0-9])", r"\1 \2"),
    )
)  # fmt: skip
_PLAIN_SCRIPT = re.compile(
    r"平扫|造影前|単純|조영\s?전|非增强|未增强|增强前|平掃|増強前|造影なし|조영전|비\s?조영|무\s?조영|非造影|未造影"
)
_ENHANCED_SCRIPT = re.compile(r"增强|增強|造影|조영")


@dataclass(frozen=True)
class Acquisition:
    """DICOM elements that identify a sequence, each None or "" if missing.

    Attributes:
        agent: ContrastBolusAgent.
        inversion_time, echo_time, repetition_time: Milliseconds.
        scanning_sequence: Such as "SE" or "GR\\IR".
        weighting: AcquisitionContrast of a multi-frame file, such as "FLUID_ATTENUATED".
    """

    agent: str = ""
    inversion_time: float | None = None
    echo_time: float | None = None
    repetition_time: float | None = None
    scanning_sequence: str = ""
    weighting: str = ""


def recognize(text: str) -> str | None:
    """Return the sequence that a name or a description refers to.

    Args:
        text: A file's name without its ending, or the full description of a series.

    Returns:
        "flair", "pre" or "post" (T1 without and with contrast agent), "other" for a sequence that the
        networks were not trained on, None if no sequence is recognized with certainty.
    """
    return _sequence(*_described(text))


def recognize_series(texts: Sequence[str], acquisition: Acquisition) -> str | None:
    """Return the sequence of a DICOM series: its elements take precedence over its descriptions.

    Args:
        texts: Descriptions, the best first; the first informative one is used.
        acquisition: Its elements.

    Returns:
        As for `recognize`.
    """
    kind, contrast = next((f for f in map(_described, texts) if f[0] or f[1]), (None, None))
    if kind != "other":
        kind = (
            _measured(acquisition, kind) or kind or _WEIGHTINGS.get(acquisition.weighting.upper())
        )
    agent = acquisition.agent.strip().lower()
    if agent and kind == "t1":
        refused = set(_tokens(agent)) & (_NEGATIONS | _PRE | {"n", "0", "nein"})
        if not refused:
            contrast = "post"
        elif contrast is None:
            contrast = "pre"
    return _sequence(kind, contrast)


_WEIGHTINGS = {"FLUID_ATTENUATED": "flair", "T1": "t1", "T2": "t2"} | dict.fromkeys(
    "DIFFUSION FLOW_ENCODED PERFUSION PROTON_DENSITY STIR TAGGING TOF T2_STAR".split(), "other"
)
"""Kind of sequence by DICOM's AcquisitionContrast (PS3.3 C.8.13.3.1)."""


def _measured(acquisition: Acquisition, named: str | None) -> str | None:
    """Return the kind of sequence by inversion, echo and repetition time; None if undecided."""
    inversion, echo = acquisition.inversion_time, acquisition.echo_time
    repetition, scanning = acquisition.repetition_time, acquisition.scanning_sequence.upper()
    if echo is None or echo <= 0 or "EP" in scanning:
        return None
    if inversion:
        # Fluid is nulled after 1.5 s (low field) to 2.9 s, with a long echo time; T1 uses shorter times.
        if inversion >= 1400 and echo >= 50:
            return "flair"
        if 300 <= inversion < 1400 and echo < 50:
            return "t1"
    elif named is None and repetition:
        if echo <= 30 and repetition <= 1100 and not ("GR" in scanning and echo >= 10):
            return "t1"
        if echo >= 70 and repetition >= 2000:
            return "t2"
    return None


def _sequence(kind: str | None, contrast: str | None) -> str | None:
    if kind in ("flair", "other"):
        return kind
    if kind == "t2":
        return "other"
    if kind == "t1":
        return None if contrast == "both" else contrast or "pre"
    return contrast if contrast in ("pre", "post") else None


def _described(text: str) -> tuple[str | None, str | None]:
    """Return the kind ("flair", "t1", "t2", "other" or None) and the contrast ("pre", "post", "both" or
    None) that a text names."""
    folded = _fold(text)
    both = bool(_BOTH.search(folded))
    tokens = _tokens(_rewritten(_BOTH.sub(" ", folded)))
    tokens = _before_registration(tokens)
    known = set(tokens)
    t1 = "t1" in known or bool(known & set(_T1_NAMES))
    flair = bool(known & {"flair", "darkfluid", "t2f"})
    contrast = "both" if both else _contrast(tokens, t1)
    if known & _OTHER or t1 and _is_subtraction(tokens):
        return "other", contrast
    if t1 and "t2" in known and not flair:
        return None, None
    if t1:
        return "t1", contrast
    if flair:
        return "flair", contrast
    if known & {"t2", "pd", "proton"}:
        # A T2 TIRM can be a FLAIR or a STIR.
        return (None, None) if "tirm" in known else ("t2", contrast)
    if not known & (_POST | _PRE | {"gad", "gd", "gado", "gadolinium", "nocontrast"}):
        return ("other" if "gre" in known else None), None
    return ("other", contrast) if "gre" in known or "dir" in known else (None, contrast)


def _is_subtraction(tokens: list[str]) -> bool:
    at = tokens.index("sub") if "sub" in tokens else -1
    return at >= 0 and not (at + 1 < len(tokens) and tokens[at + 1].isdigit())


def _before_registration(tokens: list[str]) -> list[str]:
    """Drop the target of a registration: ``flair to t1`` is a FLAIR."""
    targets = {"t1", "t2", "flair", "mni", *_T1_NAMES}
    for at in range(1, len(tokens) - 1):
        if not set(tokens[:at]) & targets:
            continue
        rest = [token for token in tokens[at + 1 :] if token not in _BETWEEN | {"the"}]
        if tokens[at] in _BETWEEN | _REGISTERED and rest and rest[0] in targets:
            return tokens[:at]
    return tokens


def _contrast(tokens: list[str], t1: bool) -> str | None:
    found: set[str] = set()
    for at, token in enumerate(tokens):
        if _PLAIN_SCRIPT.search(token):
            found.add("pre")
        elif _ENHANCED_SCRIPT.search(token):
            found.add("post")
        elif token in _PRE or t1 and token in _NEGATIONS and _is_last_word(tokens, at):
            found.add("pre")
        elif token in _POST or token in _CONTRAST or _is_short_contrast(tokens, at):
            found.add("pre" if _is_negated(tokens, at) else "post")
        elif t1 and token == "with" and at + 1 == len(tokens):
            found.add("post")
        elif token == "n" and at and tokens[at - 1] == "t1":
            found.add("pre")
    if "pre" in found:
        # "Pre contrast" has words of both kinds.
        return "pre" if found == {"pre"} or "both" not in found else "both"
    return "post" if found else None


def _is_last_word(tokens: list[str], at: int) -> bool:
    # "T1 W/O", but not "T1 NON FS".
    after = (
        _CONTRAST | _FILLERS | (_VIEW if tokens[at] in ("without", "wo", "sans", "ohne") else set())
    )
    return at + 1 == len(tokens) or tokens[at + 1] in after


def _is_short_contrast(tokens: list[str], at: int) -> bool:
    # "t1 c", "t1 w c": the single letter means contrast only after T1.
    return tokens[at] == "c" and at > 0 and tokens[at - 1] in ("t1", "w", "with")


def _is_negated(tokens: list[str], at: int) -> bool:
    """Return whether a contrast word is negated, with only fillers in between."""
    before = at - 1
    while before >= 0 and tokens[before] in _FILLERS:
        before -= 1
    if before >= 0 and tokens[before] in _NEGATIONS | _PRE:
        return True
    return at + 1 < len(tokens) and tokens[at + 1] in ("none", "no", "nil", "nelkul", "olmadan")


def is_mask(text: str) -> bool:
    """Return whether a volume's name says that it is a mask of anything: a word such as ``seg`` or
    ``mask`` is among its last three."""
    return bool(set(_tokens(_words(text))[-3:]) & _MASK_ENDS)


def may_be_labels(text: str) -> bool:
    """Return whether a volume with this name may hold labels: it names no sequence, or also a mask."""
    known = set(_tokens(_words(text)))
    return recognize(text) is None or bool(known & (_MASK_ENDS | _TUMOR | _LABELS))


def is_tumor_mask(text: str) -> bool:
    """Return whether a mask may be a tumor mask by its name: not of the brain, its tissues or the head."""
    known = set(_tokens(_words(text)))
    return bool(known & _TUMOR) or not known & _NOT_TUMOR


def mask_rank(text: str) -> int:
    """Return the priority of a mask as the true mask by its name: masks by experts before those by
    programs."""
    known = set(_tokens(_words(text)))
    rank = 2 * bool(known & {"manual", "manuallycorrected", "corrected", "expert", "final"})
    return rank - 2 * bool(
        known & {"automated", "auto", "approx", "pred", "prediction", "predicted"}
    )


def family_of_labels(text: str) -> str:
    """Like `family_of`, for a file that is known to hold labels: words for labels are also removed."""
    family = family_of(text)
    called = set(_tokens(_words(text))[-2:]) & _LABELS
    while (parts := family.split()) and parts[-1] in called:
        family = " ".join(parts[:-1])
    return family


def family_of(text: str) -> str:
    """Return a name without words for sequence, contrast agent, mask or processing: the part that the
    files of one patient share."""
    words = _fold(text)
    # Among the BIDS entities, subject and session identify the case.
    kept = re.findall(r"(?<![a-z0-9])(?:sub|ses)-[a-z0-9]+", words)
    if kept and words.startswith("sub-"):
        return " ".join(kept).replace("-", " ")
    # dcm2niix ends a name with the time of the scan and the series number.
    words = re.sub(r"(?<=\d{14})_\d{1,4}[a-z]?$", "", words)
    tokens = _tokens(_rewritten(words))
    # A single letter identifies a patient, unless it follows a sequence: "t1 c", "t1 w".
    lone = {
        at
        for at, token in enumerate(tokens)
        if token in "cfnwsс" and at and tokens[at - 1] in ("t1", "t2", "pd", "w", "flair")
    }
    left = [
        t
        for at, t in enumerate(tokens)
        if at not in lone and t not in _STRIPPED
        if not (_PLAIN_SCRIPT.search(t) or _ENHANCED_SCRIPT.search(t))
    ]
    return " ".join(kept + left).replace("-", " ")


_STRIPPED = (
    set(SEQUENCES) | set(_T1_NAMES) | _OTHER | _CONTRAST | _POST | _PRE | _NEGATIONS | _VIEW
    | _PROCESSED | _MASK_WORDS | _BETWEEN - {"2"} | {"t1", "t2", "pd", "flair", "darkfluid", "with"}
    | _MASKS_ABROAD
    | set("img scan vol volume po met med ze se με μετα χωρισ cu dengan sa nelkul olmadan".split())
    | {"dark", "fluid", "plus", "nifti", "dicom", "anat", "images", "imagestr", "imagests",
       "labelstr", "labelsts", "image", "derivatives", "nat", "mpr", "t2f", "mit", "con", "com", "avec"}
) - {"w", "e", "i", "v", "n"}  # fmt: skip


def _tokens(words: str) -> list[str]:
    result: list[str] = []
    for token in re.findall(r"[^\W_]+", words):
        glued = _GLUED.fullmatch(token)
        if not glued:
            result.append(token)
            continue
        before, what, after = glued["before"], glued["what"], glued["after"]
        if (what, after) == ("t2", "f"):
            what, after = "t2f", None
        before = "contrastgiven" if before == "c" else before  # LUMIERE's CT1
        result += [part for part in (before, what) if part]
        if after:
            result += (
                ["w", after[1:]] if after in ("wce", "wc", "wgd", "wpost", "wgad") else [after]
            )
    return result


def _words(text: str) -> str:
    return _rewritten(_fold(text))


def _rewritten(words: str) -> str:
    for pattern, replacement in _REWRITTEN:
        words = pattern.sub(replacement, words)
    return words


def _fold(text: str) -> str:
    """Return text in lower case without accents, in normalized Unicode."""
    parts = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(c for c in parts if not ("\u0300" <= c <= "\u036f"))
    # A Cyrillic T looks the same in T1.
    plain = unicodedata.normalize("NFC", plain).replace("ı", "i")
    return re.sub(r"т(?=[12])", "t", plain)

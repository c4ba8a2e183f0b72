"""The default route: never-seen patients if there are any, otherwise synthetic ones."""

from __future__ import annotations

from ui.results import scores
from ui.session import samples
from ui.shared.content import sections


def standard_route() -> str:
    """Return the route as text for `ui.present.route.parse_route`."""
    views = never_seen_views()
    name = "cards/route_never_seen.md" if views else "cards/route.md"
    stops = [(stop, words) for stop, words in sections(name).items() if stop]
    return "~".join(f"{stop.format(**views)}..{' '.join(words.split())}" for stop, words in stops)


def never_seen_views() -> dict[str, str]:
    """Return an informative slice of the median and of the worst test patient of the data folder.

    Returns:
        ``median`` and ``worst``, each as the start of a stop: the patient and a slice's number. Empty if
        the data folder has no test patient that was scored with these weights.
    """
    library = samples.library()
    scored = scores.read("default")[0].get("test", {})
    dice = {
        folder: each["dice"]
        for folder, each in scored.get("patients", {}).items()
        if each.get("dice") is not None
        and folder in library.samples
        and scored.get("per_slice", {}).get(folder)
    }
    if not dice:
        return {}
    ranked = sorted(dice, key=dice.get)
    median, worst = ranked[(len(ranked) - 1) // 2], ranked[0]
    slices = scored["per_slice"]
    return {
        "median": f"{median}.{_largest(slices[median], tumor=True)}",
        "worst": f"{worst}.{_largest(slices[worst], tumor=False)}",
    }


def _largest(slices: dict[str, list[int]], tumor: bool) -> str:
    """Return the number of the slice with the most tumor pixels, or with the most wrong pixels."""
    size = {number: tp + fn if tumor else fp + fn for number, (tp, fp, fn, _) in slices.items()}
    return max(size, key=size.get)

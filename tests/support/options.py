"""Settings of the options in ``conf``, so that a test gives no more values than matter to it."""

from typing import Any

from omegaconf import OmegaConf

from osimexp.config import build, config_directory


def values(place: str) -> dict[str, Any]:
    """Return what an option says, or one of its terms: ``algo/ppo``, ``reward/walk.effort``.

    What it is composed of besides is left out.
    """
    option, *terms = place.split(".")
    found: Any = OmegaConf.to_container(OmegaConf.load(config_directory() / f"{option}.yaml"))
    for term in terms:
        found = found[term]
    return {key: value for key, value in found.items() if key != "defaults"}


def made(place: str, **changed: Any) -> Any:
    """Return the settings or the term that an option describes, with some values changed."""
    return build({**values(place), **changed}, place)

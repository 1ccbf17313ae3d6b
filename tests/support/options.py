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


_CLASSICAL_OFF_POLICY: dict[str, Any] = {
    "environments": 4,
    "hidden_sizes": (256, 256),
    "layer_norm": False,
    "horizon": 1,
    "learning_starts": 1000,
    "updates_per_step": 1.0,
}
CLASSICAL: dict[str, dict[str, Any]] = {
    "ddpg": _CLASSICAL_OFF_POLICY,
    "sac": {**_CLASSICAL_OFF_POLICY, "learning_rate": 3e-4},
    "ppo": {
        "environments": 16,
        "hidden_sizes": (64, 64),
        "activation": "tanh",
        "rollout_steps": 128,
        "epochs": 10,
        "minibatch_size": 64,
        "max_kl": 0.03,
        "desired_kl": None,
        "initial_log_std": -0.5,
    },
}
"""Values of small batches, of the algorithms' papers, where the options' are for large ones."""


def classical(algorithm: str, **changed: Any) -> Any:
    """Return the settings of an algorithm with its classical values, some of them changed."""
    return made(f"algo/{algorithm}", **{**CLASSICAL[algorithm], **changed})

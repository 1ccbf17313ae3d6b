"""The project's own models as data in YAML: bodies, joints, muscles and contacts."""

from osimexp.models.anatomy.description import Anatomy
from osimexp.models.anatomy.reading import load, names, parse

__all__ = ["Anatomy", "load", "names", "parse"]

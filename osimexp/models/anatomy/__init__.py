"""The project's own models as data: figures of bodies, joints, muscles and contacts in YAML."""

from osimexp.models.anatomy.description import Anatomy
from osimexp.models.anatomy.reading import load, names, parse

__all__ = ["Anatomy", "load", "names", "parse"]

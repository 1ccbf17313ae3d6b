"""The project's own models as data: figures of bodies, joints, muscles and contacts in YAML."""

from osimexp.anatomy.description import Anatomy
from osimexp.anatomy.reading import load, names, parse

__all__ = ["Anatomy", "load", "names", "parse"]

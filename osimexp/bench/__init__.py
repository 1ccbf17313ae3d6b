"""What simulation costs: ``python -m osimexp.bench physics``."""

"""Controllers, from observations to actions: trained, scripted and random ones."""

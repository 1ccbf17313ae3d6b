"""What Hydra finds by its place alone: the launcher and the sweeper of osimexp's own."""

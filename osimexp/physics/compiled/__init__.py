"""OpenSim's equations of motion, traced from a model and compiled to machine code."""

"""The equations of OpenSim's muscles, each class in a file of its own."""

"""The interactive page in the browser: its data, its html and its server."""

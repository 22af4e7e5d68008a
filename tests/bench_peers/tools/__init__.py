"""One file a tool: its command line, and how what it says is read."""

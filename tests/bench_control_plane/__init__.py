"""One real master and many simulated workers: what the control plane carries."""

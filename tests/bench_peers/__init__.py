"""`make bench-peers`: golive and the load generators people use, interleaved against one target on this machine."""

"""What `fxo demo --check` plays, act by act; each lists its steps."""

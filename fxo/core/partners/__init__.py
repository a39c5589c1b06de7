"""The experts of the network: profile, availability, roster."""

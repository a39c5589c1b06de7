"""The booking and its session: one stream from hold to done, the partner's time, and the slots."""

"""For those who write plugins: what is installed, whether a plugin fits, and the first files of a new one."""

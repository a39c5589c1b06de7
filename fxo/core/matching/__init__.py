"""Briefs and shortlists: what a client asks for, and who fits."""

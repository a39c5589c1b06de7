"""Tenants: their records and branding, members and sign-ins, and who is reached under which host."""

"""The WSGI application, for gunicorn and others: `gunicorn wsgi:app`."""

from fxo.app import create_app

app = create_app()

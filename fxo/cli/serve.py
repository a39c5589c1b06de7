"""`fxo serve`: the web pages, by gunicorn with threads."""

from __future__ import annotations

import gc
from threading import Thread

import click


@click.command()
def serve() -> None:
    """Serve the web pages at FXO_BIND and FXO_PORT, with FXO_WEB_PROCESSES x FXO_WEB_THREADS."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.glogging import Logger

    from fxo import platform
    from fxo.cli import target
    from fxo.core.plugins import Providers, warm_up
    from fxo.embedded.processes import require_port
    from fxo.logs import JsonFormatter

    settings = target.settings()
    if ":" not in settings.bind:
        require_port(settings.port, settings.bind)
    app = target.app(settings)  # here, so that a wrong setting is one sentence and not one traceback a process

    def prepare(providers: Providers) -> None:
        warm_up(providers)
        gc.collect()
        gc.freeze()  # what is loaded by now stays; looking through it stopped all requests for 0.2 s at a time
        gc.set_threshold(50_000, 20, 50)  # a page makes some ten thousand things and next to no cycles: 3 % of its time

    def load_ahead(worker: object) -> None:
        with app.app_context():
            providers = platform.current().providers
        Thread(target=prepare, args=(providers,), daemon=True).start()

    class Log(Logger):  # type: ignore[misc]
        def setup(self, cfg: object) -> None:
            super().setup(cfg)
            for handler in self.error_log.handlers:
                handler.setFormatter(JsonFormatter())

    class Web(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            host = f"[{settings.bind}]" if ":" in settings.bind else settings.bind
            for name, value in {
                "bind": f"{host}:{settings.port}",
                "worker_class": "gthread",
                "workers": settings.web_processes,
                "threads": settings.web_threads,
                "timeout": 60,
                "graceful_timeout": 20,
                "control_socket_disable": True,
                "logger_class": Log,
                "loglevel": settings.log_level.lower(),
                "proc_name": "fxo serve",
                "post_worker_init": load_ahead,
            }.items():
                self.cfg.set(name, value)

        def load(self) -> object:
            return app

    Web().run()

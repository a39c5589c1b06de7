"""PostgreSQL and Valkey as child processes (`servers`), and what keeps our own processes up (`supervisor`)."""

import sys

if sys.platform == "win32":
    raise ImportError("The embedded servers need Linux or macOS: set FXO_DATABASE_URL, FXO_DATABASE_ADMIN_URL and FXO_REDIS_URL")

from fxo.embedded.errors import EmbeddedError
from fxo.embedded.servers import Servers, remove, servers
from fxo.embedded.supervisor import Program, Supervisor

__all__ = ["EmbeddedError", "Program", "Servers", "Supervisor", "remove", "servers"]

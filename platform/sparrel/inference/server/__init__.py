"""The model server: HTTP next to one engine, on the cluster network only.

`create_model_server` makes the ASGI app, `serve` runs it on a socket.
"""

from sparrel.inference.server.app import create_model_server
from sparrel.inference.server.model_info import ModelInfo, ReasoningStyle
from sparrel.inference.server.serving import RunningServer, serve

__all__ = ["ModelInfo", "ReasoningStyle", "RunningServer", "create_model_server", "serve"]

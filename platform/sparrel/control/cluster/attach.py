"""Run the platform on a Ray cluster that exists already, such as one of `ray up cluster.yaml`.

    eval "$(python -m sparrel.control.cluster.attach --environment)"    before `ray start`, on every node
    python -m sparrel.control.cluster.attach                            after it, on the head node

The second may be repeated: it updates what is not current and leaves the rest as it is.
"""

from __future__ import annotations

import shlex
import sys

from sparrel.control.cluster.environment import serve_environment
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.names import NAMESPACE
from sparrel.control.cluster.ports import choose_ports
from sparrel.settings import Settings


def main(arguments: list[str]) -> int:
    settings = Settings.from_env()
    layout = Layout(settings)
    layout.prepare()
    if arguments == ["--environment"]:
        variables = settings.to_env() | serve_environment(layout, choose_ports(settings.home))
        for name, value in variables.items():
            print(f"export {name}={shlex.quote(value)}")
        return 0
    import ray

    from sparrel.control.cluster.start import start_platform

    ray.init(namespace=NAMESPACE, log_to_driver=False)
    start_platform(settings, print)
    print(f"The platform answers at {settings.base_url}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Client of kantrigd: events in, trigger decisions out.

    from kantrig import Client
    with Client("ipc:///run/kantrig/events", source=1) as client:
        decisions = client.decide([[0.1, 2.5], [0.3, 1.1]])
        print(decisions.accepted)
"""
import pkgutil

# The generated messages, kantrig.v1, may lie elsewhere on the path: in the build tree they do.
__path__ = pkgutil.extend_path(__path__, __name__)

from kantrig.answer import Decisions, Outcome  # noqa: E402
from kantrig.client import Client  # noqa: E402
from kantrig.session import Busy, Refused, Session, Statistics  # noqa: E402

__all__ = ["Busy", "Client", "Decisions", "Outcome", "Refused", "Session", "Statistics"]

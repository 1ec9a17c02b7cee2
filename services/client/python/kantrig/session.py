"""What the daemon told a client, and what the client counted."""
from dataclasses import dataclass, field


class Refused(Exception):
    """The daemon does not welcome this lane; the text says why."""


class Busy(Exception):
    """As many batches as allowed are pending: poll() and try again."""


@dataclass
class Session:
    """As the last Welcome said."""

    endpoint: str = ""
    events_per_batch_max: int = 0
    heartbeat_interval_s: float = 0.0
    run: int = 0
    generation: int = 0
    model_digest: bytes = b""
    menu_digest: bytes = b""
    features: list = field(default_factory=list)
    classes: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    feature_bits: list = field(default_factory=list)
    codes_only: bool = False


@dataclass
class Statistics:
    """Events by how they ended, and what it took."""

    batches_sent: int = 0  # distinct ones
    events_sent: int = 0   # distinct ones
    events_accepted: int = 0
    events_rejected: int = 0
    events_malformed: int = 0
    events_refused: int = 0  # finally
    events_unknown: int = 0
    batches_answered: int = 0
    batches_resent: int = 0   # copies beyond the first
    answers_ignored: int = 0  # to batches that had theirs
    answers_passing: int = 0  # refusals for a passing reason
    reconnects: int = 0
    resend_timeouts: int = 0
    books_lost: int = 0  # the daemon no longer knew the lane

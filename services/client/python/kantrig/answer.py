"""What became of a batch."""
import array
import enum
import sys
from dataclasses import dataclass

from kantrig.v1 import decision_pb2

try:
    import numpy
except ImportError:  # lists will do
    numpy = None


class Outcome(enum.Enum):
    DECIDED = "decided"  # event by event
    REFUSED = "refused"  # finally, as a whole: reason and detail say why
    UNKNOWN = "unknown"  # decided or not, nobody can tell: the daemon no longer has the books of this lane
    CLOSED = "closed"    # the client was closed before an answer came


def reason_name(number):
    """The reason as labels spell it, "payload_size"; "none" for 0."""
    if number == 0:
        return "none"
    try:
        return decision_pb2.Reason.Name(number)[len("REASON_"):].lower()
    except ValueError:
        return "unknown"


PASSING = frozenset((decision_pb2.REASON_NOT_WELCOMED, decision_pb2.REASON_SEQUENCE_GAP, decision_pb2.REASON_CREDIT,
                     decision_pb2.REASON_NO_RUN))


def _bits(bitmap, count):
    if numpy is not None:
        return numpy.unpackbits(numpy.frombuffer(bitmap, numpy.uint8), bitorder="little")[:count].astype(bool)
    return [bool(bitmap[i // 8] >> (i % 8) & 1) for i in range(count)] if bitmap else []


def _values(data, code, dtype):
    if numpy is not None:
        return numpy.frombuffer(data, dtype)
    values = array.array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return list(values)


@dataclass
class Decisions:
    """The answer to one batch. `message` is the whole kantrig.v1.DecisionBatch, None when none came."""

    outcome: Outcome
    sequence: int
    first_event_id: int
    event_count: int
    round_trip_s: float
    detail: str
    message: object

    @property
    def reason(self):
        return reason_name(self.message.reason) if self.message is not None else "none"

    @property
    def accepted(self):
        """One bool an event."""
        return _bits(self._field("accept_bitmap"), self.event_count)

    @property
    def malformed(self):
        """One bool an event; empty when none is."""
        bitmap = self._field("malformed_bitmap")
        return _bits(bitmap, self.event_count if bitmap else 0)

    @property
    def line_bits(self):
        """One integer an event, bit l is line l of the menu; empty unless asked for."""
        return _values(self._field("line_bits"), "Q", "<u8")

    @property
    def classes(self):
        """One index an event; empty unless asked for."""
        return _values(self._field("classes"), "B", "u1")

    @property
    def scores(self):
        """score_count integers an event, event by event; empty unless asked for."""
        values = _values(self._field("scores"), "h", "<i2")
        if numpy is not None and len(values):
            return values.reshape(self.event_count, -1)
        return values

    def _field(self, name):
        return getattr(self.message, name) if self.message is not None else b""

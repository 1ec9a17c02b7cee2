"""The batches without a final answer, and which of them to send next. The same rules as client/window.hpp."""
import collections


class Pending:
    """A batch on its way."""

    __slots__ = ("header", "payload", "future", "callback", "first_sent", "last_sent", "copies", "waiting")

    def __init__(self, header, payload, future, callback):
        self.header = header
        self.payload = payload
        self.future = future
        self.callback = callback
        self.first_sent = None
        self.last_sent = None
        self.copies = 0      # sent on this connection and not yet answered
        self.waiting = True  # to be sent, for the first time or again


class Window:
    """Consecutive sequences, sent in order and within the credit: a lane takes only the next one."""

    def __init__(self, batches_max):
        self._batches_max = batches_max
        self._pending = collections.OrderedDict()  # by sequence, rising
        self._next = 1       # for a new batch
        self._last_sent = 0  # the newest sequence that was ever sent
        self.events = self.bytes = self.batches = 0  # under way

    def __len__(self):
        return len(self._pending)

    @property
    def full(self):
        return len(self._pending) >= self._batches_max

    @property
    def last_sent(self):
        return self._last_sent

    def push(self, pending):
        pending.header.sequence = self._next
        self._pending[self._next] = pending
        self._next += 1

    def next_to_send(self, credit):
        for pending in self._pending.values():
            if not pending.waiting:
                continue
            allowed = (self.events + pending.header.event_count <= credit.events
                       and self.bytes + len(pending.payload) <= credit.bytes and self.batches + 1 <= credit.batches)
            return pending if allowed else None
        return None

    def mark_sent(self, pending, now):
        pending.waiting = False
        pending.copies += 1
        pending.first_sent = now if pending.first_sent is None else pending.first_sent
        pending.last_sent = now
        self._last_sent = max(self._last_sent, pending.header.sequence)
        self._count(pending, 1)

    def take(self, sequence):
        """The batch, with its final answer there; None when it had one."""
        pending = self._pending.get(sequence)
        if pending is None or pending.first_sent is None:
            return None
        if not pending.waiting:
            self._count(pending, -1)
        return self._pending.pop(sequence)

    def hold_back(self, sequence):
        """After a passing refusal: True when the batch, and all after it, wait again."""
        pending = self._pending.get(sequence)
        if pending is None or pending.copies == 0:
            return False
        pending.copies -= 1
        if pending.copies > 0 or pending.waiting:
            return False
        self._wait_from(sequence)
        return True

    def lose_copies(self):
        """The connection is gone: everything waits again and no copy will be answered."""
        for pending in self._pending.values():
            pending.copies = 0
        self._wait_from(0)

    def is_plausible_next(self, expected):
        """Whether a daemon with this lane's books may expect that sequence next."""
        first = next(iter(self._pending), self._next)
        return first <= expected <= max(self._last_sent + 1, first)

    def take_all(self, sent_only):
        taken = [p for p in self._pending.values() if p.first_sent is not None or not sent_only]
        for pending in taken:
            if not pending.waiting:
                self._count(pending, -1)
            del self._pending[pending.header.sequence]
        return taken

    def renumber(self, first):
        """Gives the batches, none of which was ever sent, new sequences."""
        waiting = list(self._pending.values())
        self._pending.clear()
        self._next = first
        self._last_sent = first - 1
        for pending in waiting:
            self.push(pending)

    def oldest_sent(self):
        """When the oldest unanswered copy was sent; None when none is under way."""
        pending = next(iter(self._pending.values()), None)
        return pending.last_sent if pending is not None and not pending.waiting else None

    def sent_events(self):
        return sum(p.header.event_count for p in self._pending.values() if p.first_sent is not None)

    def _wait_from(self, sequence):
        for pending in self._pending.values():
            if pending.header.sequence >= sequence and not pending.waiting:
                self._count(pending, -1)
                pending.waiting = True

    def _count(self, pending, sign):
        self.events += sign * pending.header.event_count
        self.bytes += sign * len(pending.payload)
        self.batches += sign

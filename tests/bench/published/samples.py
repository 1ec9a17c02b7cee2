"""Rows of the published data sets, and their splits by seed.

The published figures used scikit-learn: make_moons and a stratified train_test_split, both on numpy's RandomState.
What is here draws the same numbers in the same order in plain Python, so that a seed means what it meant there.
"""
import math
import random


class Generator:
    """The numbers of numpy.random.RandomState(seed): permutations and normal deviates."""

    def __init__(self, seed):
        words = [seed & 0xFFFFFFFF]
        for i in range(1, 624):
            words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & 0xFFFFFFFF)
        self._twister = random.Random()
        self._twister.setstate((3, (*words, 624), None))
        self._spare = None

    def _below_or_equal(self, limit):
        mask = (1 << limit.bit_length()) - 1
        while True:
            drawn = self._twister.getrandbits(32) & mask
            if drawn <= limit:
                return drawn

    def permutation(self, count):
        order = list(range(count))
        for i in range(count - 1, 0, -1):
            j = self._below_or_equal(i)
            order[i], order[j] = order[j], order[i]
        return order

    def normal(self):
        if self._spare is not None:
            value, self._spare = self._spare, None
            return value
        square = 0.0
        while not 0.0 < square < 1.0:
            x = 2.0 * self._twister.random() - 1.0
            y = 2.0 * self._twister.random() - 1.0
            square = x * x + y * y
        factor = math.sqrt(-2.0 * math.log(square) / square)
        self._spare = factor * x
        return factor * y


def check_generator():
    """Known numbers of RandomState, so that another Python cannot change the splits unnoticed."""
    if Generator(42).permutation(10) != [8, 1, 5, 0, 7, 2, 9, 4, 3, 6]:
        raise RuntimeError("permutations differ from numpy's RandomState(42)")
    normal = Generator(0)
    if [round(normal.normal(), 9) for _ in range(2)] != [1.764052346, 0.400157208]:
        raise RuntimeError("normal deviates differ from numpy's RandomState(0)")


def _shares(counts, total):
    """`total` shared among classes in proportion, the largest remainders rounded up."""
    exact = [count * total / sum(counts) for count in counts]
    shares = [math.floor(share) for share in exact]
    by_remainder = sorted(range(len(counts)), key=lambda k: shares[k] - exact[k])
    for k in by_remainder[: total - sum(shares)]:
        shares[k] += 1
    return shares


def split(labels, test_part, seed):
    """Row numbers to learn from and row numbers to judge on; each class gives the same part to both."""
    classes = sorted(set(labels))
    counts = [labels.count(name) for name in classes]
    test_count = math.ceil(test_part * len(labels))
    train_shares = _shares(counts, len(labels) - test_count)
    test_shares = _shares([a - b for a, b in zip(counts, train_shares)], test_count)
    generator = Generator(seed)
    train, test = [], []
    for name, count, learn, judge in zip(classes, counts, train_shares, test_shares):
        rows = [i for i, label in enumerate(labels) if label == name]
        rows = [rows[i] for i in generator.permutation(count)]
        train += rows[:learn]
        test += rows[learn : learn + judge]
    return train, test


def moons(seed, count=10_000, noise=0.2):
    """make_moons(count, noise=noise, random_state=seed) as (x, y, class name)."""
    half = count // 2
    arc = [math.pi * i / (half - 1) for i in range(half)]
    points = [(math.cos(t), math.sin(t), "first") for t in arc]
    points += [(1.0 - math.cos(t), 0.5 - math.sin(t), "second") for t in arc]
    generator = Generator(seed)
    shuffled = [points[i] for i in generator.permutation(count)]
    return [(x + noise * generator.normal(), y + noise * generator.normal(), name) for x, y, name in shuffled]


def moons_best_accuracy(rows, noise=0.2, steps=200):
    """What the best possible rule, that of the two densities, reaches on `rows`: no model can be expected to pass it."""
    arc = [math.pi * (i + 0.5) / steps for i in range(steps)]
    first = [(math.cos(t), math.sin(t)) for t in arc]
    second = [(1.0 - x, 0.5 - y) for x, y in first]

    def density(x, y, centres):
        return sum(math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2.0 * noise * noise)) for a, b in centres)

    right = 0
    for x, y, name in rows:
        right += (density(x, y, second) > density(x, y, first)) == (name == "second")
    return right / len(rows)

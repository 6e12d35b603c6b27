"""The token rule and margins, over any logits."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tallystick.errors import FieldError
from tallystick.llm.margins import LOGIT, Measured, margin
from tallystick.llm.noise import exact_gumbel, gumbel, noise, noise_words
from tallystick.llm.sampler import Sampling, candidates, choose, fixed_logits
from tests.unit.llm.independent import gumbel as independent

SEED = b"s" * 32
logits = arrays.arrays(
    np.float32,
    st.integers(1, 24),
    elements=st.floats(-12, 12, width=32) | st.sampled_from([math.nan, math.inf, -math.inf]),
)
samplings = st.builds(
    Sampling,
    st.binary(min_size=32, max_size=32),
    st.sampled_from([0, 1, 300, 800, 1000, 2000]),
    st.sampled_from([1, 2, 50, 500, 999, 1000]),
)
steps = st.integers(0, 2**32 - 1)


@given(arrays.arrays(np.uint32, st.integers(1, 50)))
@example(np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], np.uint32))
def test_gumbel__many_words__are_each_as_by_60_digits(words: np.ndarray) -> None:
    assert gumbel(words).tolist() == [exact_gumbel(int(word)) for word in words]


@given(st.integers(0, 2**32 - 1))
def test_exact_gumbel__any_word__is_as_by_mpmath(word: int) -> None:
    assert exact_gumbel(word) == independent.gumbel(word)


@given(st.lists(st.integers(0, 2**18), min_size=1, unique=True).map(sorted), steps)
def test_noise_words__many_tokens__are_each_as_by_itself(tokens: list[int], step: int) -> None:
    words = noise_words(SEED, step, np.array(tokens))

    assert words.tolist() == [independent.word(SEED, step, token) for token in tokens[:3]] + [
        int(noise_words(SEED, step, np.array([token]))[0]) for token in tokens[3:]
    ]


@given(logits, samplings, steps)
def test_margin__the_rules_token__is_zero(
    given_logits: np.ndarray, sampling: Sampling, step: int
) -> None:
    token = choose(given_logits, sampling, step)

    assert margin(given_logits, token, sampling, step) == 0


@given(logits, samplings, steps)
def test_margin__another_token__is_zero_between_equals_alone(
    given_logits: np.ndarray, sampling: Sampling, step: int
) -> None:
    found = candidates(fixed_logits(given_logits), sampling, step)
    scores = dict(zip(found.tokens.tolist(), found.scores.tolist(), strict=True))
    at_floor = {
        token
        for token, value in zip(found.tokens.tolist(), found.logits.tolist(), strict=True)
        if value == found.floor
    }
    best = max((scores[token] for token in scores if token not in at_floor), default=-math.inf)

    for token in range(given_logits.size):
        equal = token in scores and scores[token] >= best
        assert (margin(given_logits, token, sampling, step) == 0) == equal


@given(logits, samplings, steps, st.integers(0, 2**21), st.randoms(use_true_random=False))
def test_margin__logits_that_differ_by_d__is_at_most_twice_d(
    given_logits: np.ndarray, sampling: Sampling, step: int, most: int, random: object
) -> None:
    near_zero = np.nan_to_num(given_logits.astype(np.float64), posinf=12, neginf=-12)
    moved = near_zero + [random.randint(-most, most) / 2**20 for _ in near_zero]
    moves = np.abs(fixed_logits(moved) - fixed_logits(near_zero)).max()

    token = choose(moved, sampling, step)

    assert margin(near_zero, token, sampling, step) <= 2 * 1000 * int(moves)


@given(logits, samplings, steps)
def test_choose__doubles_of_the_same_value__is_the_same(
    given_logits: np.ndarray, sampling: Sampling, step: int
) -> None:
    doubles = given_logits.astype(np.float64)

    assert choose(doubles, sampling, step) == choose(given_logits, sampling, step)


def test_choose__many_steps__are_drawn_by_the_softmax() -> None:
    given_logits = np.array([1.0, 0.5, 0.0, -1.0, -9.0])
    sampling = Sampling(SEED, temperature=800)
    count = 20_000

    found = Counter(choose(given_logits, sampling, step) for step in range(count))

    # The last is below the floor of a thousandth.
    odds = np.exp(given_logits[:4] / 0.8)
    expected = count * odds / odds.sum()
    surprise = sum((found[token] - one) ** 2 / one for token, one in enumerate(expected))
    assert found[4] == 0
    assert surprise < 11.3  # one in a hundred exceeds it, and the seed is fixed


def test_candidates__no_logits__are_refused() -> None:
    for nothing in (np.zeros(0), np.zeros((2, 2))):
        with pytest.raises(FieldError, match="^logits is"):
            candidates(fixed_logits(nothing), Sampling(SEED), 0)


@pytest.mark.parametrize("token", [-1, 3])
def test_margin__no_such_token__is_refused(token: int) -> None:
    with pytest.raises(FieldError, match="^token is"):
        margin([0.0, 1.0, 2.0], token, Sampling(SEED), 0)


@given(st.lists(st.integers(0, 5 * LOGIT)), st.integers(0, 20))
def test_measured__pooled__is_as_of_all_tokens(margins: list[int], cut: int) -> None:
    parts = [Measured.of(margins[:cut]), Measured.of(margins[cut:])]

    assert Measured.pooled(parts) == Measured.of(margins)
    assert Measured.of(margins).mean <= 1


def test_noise__many_tokens__has_the_mean_and_spread_of_gumbel() -> None:
    found = noise(SEED, 0, np.arange(40_000)) / 2**20

    assert abs(found.mean() - 0.5772) < 0.03
    assert abs(found.std() - math.pi / math.sqrt(6)) < 0.03

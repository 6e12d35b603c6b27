"""The demo's model: right often enough, and the same answer everywhere."""

import numpy as np
import pytest

from tallystick.demo.digits import model, train
from tallystick.demo.digits.model import Digits


@pytest.fixture(scope="module")
def digits() -> Digits:
    return Digits()


@pytest.fixture(scope="module")
def samples() -> list[bytes]:
    return model.load_samples()


def test_load_samples__all__are_64_pixels_from_0_to_16(samples):
    assert len(samples) == 1797
    assert {len(sample) for sample in samples} == {64}
    assert max(max(sample) for sample in samples) == 16


def test_infer__all_samples__is_right_on_98_percent(digits, samples):
    answers = np.array([answer[0] for answer in digits.infer(samples)])

    assert (answers == model.load_labels()).mean() > 0.98


def test_logits__all_samples__have_a_margin_that_rounding_cannot_close(digits, samples):
    logits = np.sort(digits.logits(samples), axis=1)

    # float32 sums of this size differ by 1e-5 between processors.
    assert (logits[:, -1] - logits[:, -2]).min() > 1e-2


def test_infer__one_by_one__returns_the_answers_of_the_whole(digits, samples):
    some = samples[::37]

    assert [digits.infer([sample])[0] for sample in some] == digits.infer(some)


def test_infer__no_input__returns_nothing(digits):
    assert digits.infer([]) == []


def test_infer__input_of_other_length__raises(digits):
    with pytest.raises(ValueError, match="input 1 is 63 bytes"):
        digits.infer([bytes(64), bytes(63)])


def test_train__again__gives_the_committed_model():
    trained, _ = train.train()

    committed = train.onnx.load(str(model.FILE))
    assert [node.op_type for node in trained.graph.node] == [
        node.op_type for node in committed.graph.node
    ]
    for ours, theirs in zip(trained.graph.initializer, committed.graph.initializer, strict=True):
        np.testing.assert_allclose(
            train.numpy_helper.to_array(ours), train.numpy_helper.to_array(theirs), atol=0.05
        )

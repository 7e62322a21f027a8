"""The curves of a run: every loss where they can be told apart, means with their spread where they cannot."""

from convsize.views.answers.pictures.curves import scene


def metrics(steps, every=10):
    found = [{"kind": "steps", "step": at, "loss": 1 + (at % 7) / 7, "lr": 0.1} for at in range(1, steps + 1)]
    scores = [{"name": "main", "top1": 0.9, "error": None}]
    ends = range(every, steps + 1, every)
    return found + [{"kind": "epoch", "step": at, "test_loss": 1.5, "scores": scores} for at in ends]


def test_few_losses_are_a_curve():
    text = scene("run", "how", metrics(100)).file("svg").decode()
    assert ">training loss<" in text
    assert "least to most" not in text


def test_many_losses_are_means_in_a_band():
    text = scene("run", "how", metrics(2100)).file("svg").decode()
    assert ">training loss, mean of 11<" in text
    assert ">least to most<" in text
    assert ">test loss<" in text
    assert len(text) < 3 * len(scene("run", "how", metrics(200)).file("svg").decode())


def test_few_points_are_dots():
    def dots(steps, every):
        return scene("run", "how", metrics(steps, every)).file("svg").decode().count("<circle")

    # 12 losses, and 3 of the test with as many scores, of which the best is marked; of 100 losses none is a dot.
    assert dots(12, 4) == 12 + 3 + 3 + 1
    assert dots(100, 25) == 4 + 4 + 1


def test_a_run_that_was_stopped_at_once_has_a_picture():
    assert "run" in scene("run", "how", metrics(1)).file("svg").decode()

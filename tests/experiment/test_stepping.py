from threading import Event, get_ident
from typing import Any

import numpy as np
import pytest

from osimexp.experiment.stepping import stepper
from tests.support.toy import ToyEnvironment


class Held(ToyEnvironment):
    """A toy whose steps end when they are let go."""

    def __init__(self) -> None:
        super().__init__(2)
        self.begun, self.let_go = Event(), Event()
        self.threads: list[int] = []

    def step(self, actions: np.ndarray) -> Any:
        self.threads.append(get_ident())
        self.begun.set()
        assert self.let_go.wait(10.0)
        return super().step(actions)


ACTIONS = np.full((2, 1), 0.4, dtype=np.float32)


def test_the_caller_goes_on_while_a_thread_steps() -> None:
    environment = Held()
    environment.reset(seed=0)
    with stepper(environment, beside=True) as begin:
        stepping = begin(ACTIONS)
        assert environment.begun.wait(10.0)
        environment.let_go.set()
        (observations, *_), seconds = stepping()
    assert observations.shape == (2, 2)
    assert seconds > 0.0
    assert environment.threads != [get_ident()]


def test_a_step_is_made_when_it_is_waited_for() -> None:
    environment = Held()
    environment.reset(seed=0)
    environment.let_go.set()
    with stepper(environment, beside=False) as begin:
        stepping = begin(ACTIONS)
        assert not environment.begun.is_set()
        stepping()
    assert environment.threads == [get_ident()]


def test_an_error_of_a_step_reaches_the_caller() -> None:
    class Failing(ToyEnvironment):
        def step(self, actions: np.ndarray) -> Any:
            raise ValueError("no more steps")

    with (
        stepper(Failing(2), beside=True) as begin,
        pytest.raises(ValueError, match="no more steps"),
    ):
        begin(ACTIONS)()

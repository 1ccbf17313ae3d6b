"""Searches: what is proposed, resumed, shared and pruned, and what the best becomes."""

import csv
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import pytest
from commands import SMALL_SAC, SUPPORT, Command, wait_for
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from osimexp.errors import ConfigError, RunFolderError
from osimexp.experiment.run_folder import RunFolder
from osimexp.experiment.settings import (
    CheckpointSettings,
    EvaluationSettings,
    LogSettings,
    RunSettings,
)
from osimexp.experiment.summary import metrics_of
from osimexp.sweeps.search.settings import search_settings
from osimexp.sweeps.search.space import Choice, Range, dimension
from osimexp.sweeps.search.study import RunningTrial, SearchStudy

WORDS = (
    *(word for word in SMALL_SAC if not word.startswith(("run.folder", "algo.learning_rate"))),
    "sweep=sac_search",
    "hydra.sweeper.startup=2",
    "hydra.sweep.dir=sweep",
)
# Nothing that the search is for may be given beside it.
SEARCH = tuple(word for word in WORDS if not word.startswith("algo.batch_size"))
SETTINGS = {
    "space": {"rate": {"low": 1e-4, "high": 1e-2, "log": True}, "size": {"choices": [[8], [16]]}},
    "trials": 6,
    "at_once": 1,
    "startup": 2,
    "figure": "return",
    "goal": "maximise",
    "pruner": {"kind": "median", "startup": 2, "warmup": 0, "reduction": 3},
    "trial": None,
}


RUN = RunSettings(
    steps=900,
    folder="run",
    checkpoint=CheckpointSettings(every=100, replay=True),
    evaluation=EvaluationSettings(every=100, episodes=1, final_episodes=1, images=False),
    log=LogSettings(every=100),
    threads=None,
    table=False,
    name=None,
)


def trials(folder: str = "sweep") -> list[dict[str, str]]:
    with (Path(folder) / "trials.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_dimensions_are_optuna_s() -> None:
    assert Range(1e-4, 1e-2, True).distribution == FloatDistribution(1e-4, 1e-2, log=True)
    assert Range(2, 8).distribution == IntDistribution(2, 8)
    assert dimension("a", {"choices": [[8], None]}) == Choice([[8], None])
    choice = Choice(["walk", [8, 8], 0.5, "it's"])
    assert choice.distribution == CategoricalDistribution(
        ['"walk"', "[8, 8]", "0.5", '"it\'s"'],
    )
    texts = [choice.text(drawn) for drawn in ('"walk"', "[8, 8]", "0.5", '"it\'s"')]
    assert texts == ["walk", "[8, 8]", "0.5", r"'it\'s'"]
    # What the config has is only tried first where it could have been drawn.
    assert choice.drawn([8, 8]) == "[8, 8]"
    assert choice.drawn("run") is None
    assert Range(2, 8).drawn(3) == 3
    assert Range(2, 8).drawn(3.5) is None
    assert Range(2.0, 8.0).drawn(9.0) is None


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (3, "hydra.sweeper.space.a must be"),
        ({"low": 2, "high": 1}, "low must be below high"),
        ({"low": 0.0, "high": 1.0, "log": True}, "above 0 if log"),
        ({"choices": [1]}, "two choices or more"),
        ({"low": 1, "high": 2, "step": 1}, "step is not a known key"),
    ],
)
def test_what_is_no_dimension_is_refused(entry: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        dimension("a", entry)


def test_proposals_follow_from_the_seed_and_end(tmp_path: Path) -> None:
    drawn = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        study = SearchStudy(tmp_path / name, search_settings(SETTINGS), RUN, 3)
        values = []
        while proposals := study.propose({"rate": 1e-3, "size": [8]}):
            (proposal,) = proposals
            values.append(dict(proposal.values))
            study.tell(proposal.number, TrialState.COMPLETE, float(proposal.values["rate"]))
        drawn.append(values)
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 6
    assert drawn[0][0] == {"rate": "0.001", "size": "[8]"}
    assert len({values["rate"] for values in drawn[0]}) == 6
    best = study.finished()[0]
    assert best.value == max(float(values["rate"]) for values in drawn[0])


def test_a_trial_is_done_by_one_process_and_taken_up_when_that_is_gone(tmp_path: Path) -> None:
    settings = search_settings(SETTINGS)
    one, other = (SearchStudy(tmp_path, settings, RUN, 0) for _ in range(2))
    (first,) = one.propose({})
    (second,) = other.propose({})
    assert (first.number, second.number) == (0, 1)
    first.claim.release()  # As the system does for a process that is killed.
    (again,) = other.propose({})
    assert (again.number, again.values) == (0, first.values)


@pytest.mark.parametrize(
    "space",
    [
        {"rate": {"choices": ["${oc.env:HOME}", "b"]}, "size": {"choices": [[8], [16]]}},
        {"rate": {"low": 1e-4, "high": 1e-2}, "size": {"choices": [["${oc.env:HOME}"], [[16]]]}},
        {"rate": {"low": 1e-4, "high": 1e-2}, "hydra.job.env_set.A": {"choices": [1, 2]}},
    ],
)
def test_a_journal_proposes_nothing_outside_of_the_space(
    tmp_path: Path, space: dict[str, object]
) -> None:
    other = SearchStudy(tmp_path, search_settings(SETTINGS | {"space": space}), RUN, 0)
    for proposal in other.propose({}):
        proposal.claim.release()
    study = SearchStudy(tmp_path, search_settings(SETTINGS), RUN, 0)
    with pytest.raises(ConfigError, match="which is not in the space of the search"):
        study.propose({})


def test_a_study_of_the_other_goal_is_refused(tmp_path: Path) -> None:
    SearchStudy(tmp_path, search_settings(SETTINGS), RUN, 0)
    with pytest.raises(ConfigError, match="whose goal is not minimise"):
        SearchStudy(tmp_path, search_settings({**SETTINGS, "goal": "minimise"}), RUN, 0)


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "5",
        "no JSON\n{}",
        '{"op_code": 0}',
        '{"op_code": "x"}',
        '{"op_code": 99, "worker_id": "x"}',
        '{"op_code": 4, "worker_id": "x", "study_id": 0, "distributions": {"rate": "5"}}',
        '{"op_code": 8, "worker_id": "x", "trial_id": 0, "user_attr": {"again": []}}',
        '{"op_code": 7, "worker_id": "x", "trial_id": 0, "step": 1, "intermediate_value": "x"}',
        "[" * 100_000,
    ],
)
def test_a_journal_of_other_content_is_named(tmp_path: Path, line: str) -> None:
    settings = search_settings(SETTINGS)
    study = SearchStudy(tmp_path, settings, RUN, 0)
    study.propose({})
    with (tmp_path / "study.log").open("a") as journal:
        journal.write(f"{line}\n{line}\n")
    for made in (
        lambda: SearchStudy(tmp_path, settings, RUN, 0),
        lambda: RunningTrial(tmp_path, search_settings({**SETTINGS, "trial": 0}), RUN),
    ):
        with pytest.raises(RunFolderError, match=r"study\.log cannot be read as the journal"):
            made()


def test_a_trial_behind_the_median_is_pruned(tmp_path: Path) -> None:
    settings = search_settings(SETTINGS)
    study = SearchStudy(tmp_path, settings, RUN, 0)
    reasons = []
    for value in (1.0, 2.0, 3.0, 1.9):
        (proposal,) = study.propose({})
        own = search_settings({**SETTINGS, "trial": proposal.number})
        trial = RunningTrial(tmp_path, own, RUN)
        reasons.append(trial.judge(100, {"return": value}))
        study.tell(proposal.number, TrialState.COMPLETE, value)
    # The median of 1, 2 and 3 is 2; before two trials are finished none is judged.
    assert reasons[:3] == [None, None, None]
    assert reasons[3] == "its return of 1.9 at 100 steps is behind other trials'"
    with pytest.raises(ConfigError, match="figure is return"):
        trial.judge(200, {"distance": 1.0})


def test_hyperband_judges_trials_at_rungs_that_evaluations_reach(tmp_path: Path) -> None:
    values = {**SETTINGS, "trials": 60, "pruner": {**SETTINGS["pruner"], "kind": "hyperband"}}
    study = SearchStudy(tmp_path, search_settings(values), RUN, 0)
    ended = {}
    for value in np.random.default_rng(0).permutation(60):
        (proposal,) = study.propose({})
        trial = RunningTrial(tmp_path, search_settings({**values, "trial": proposal.number}), RUN)
        for steps in range(100, 901, 100):
            if trial.judge(steps, {"return": float(value)}) is not None:
                ended[int(value)] = steps
                break
        if value in ended:
            study.tell(proposal.number, TrialState.PRUNED, None)
        else:
            study.tell(proposal.number, TrialState.COMPLETE, float(value))
    # Rungs are at 1, 3 and 9 evaluations; the best of all passes them.
    assert set(ended.values()) == {100, 300, 900}
    assert 59 not in ended
    assert 15 < len(ended) < 59


def test_a_search_ends_with_an_experiment_that_is_its_best_trial(
    command: Command, place: Path
) -> None:
    answer = command(*SEARCH, "hydra.sweeper.trials=4", "hydra.sweeper.pruner.startup=1", "seed=7")
    assert answer.code == 0, answer.err
    rows = trials()
    assert [row["trial"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0]["algo.learning_rate"] == "0.001"  # the config as it is
    finished = {row["trial"]: float(row["return"]) for row in rows if row["state"] == "complete"}
    best = max(finished, key=finished.__getitem__)
    run = RunFolder.open(Path(f"sweep/trial_00{best}"))
    assert (metrics_of(run, "final") or {})["return"] == finished[best]
    assert run.config()["seed"] == 7 + int(best)
    for row in rows:
        state = RunFolder.open(Path(f"sweep/trial_00{row['trial']}")).record()["state"]
        assert state == {"complete": "finished", "pruned": "pruned"}[row["state"]]
    # The experiment composes to what the trial was, where its task's options are to be found.
    options = place / "options"
    (options / "task").mkdir(parents=True)
    (options / "task" / "toy.yaml").write_text((SUPPORT / "conf/task/toy.yaml").read_text())
    (options / "experiment").mkdir()
    (place / "sweep/experiment/best.yaml").rename(options / "experiment/best.yaml")
    again = command(f"--config-dir={options}", "experiment=best", "run.folder=again")
    assert again.code == 0, again.err
    one, other = (RunFolder(p).config() for p in (run.path, Path("again")))
    for config in (one, other):
        del config["seed"], config["run"]["folder"], config["run"]["name"]
    assert one == other


def test_a_killed_search_goes_on(
    started: Callable[..., "subprocess.Popen[str]"], place: Path
) -> None:
    words = (*SEARCH, "hydra.sweeper.trials=3", "hydra.sweeper.pruner.kind=none")
    process = started(*words, "task.gate=go")
    gate = Path("go")
    # The first trial is let through, and the second is not.
    wait_for(Path("sweep/trial_000/checkpoints/latest.pt"), process)
    gate.touch()
    wait_for(Path("sweep/trial_000/evaluations/400.json"), process)
    gate.unlink()
    wait_for(Path("sweep/trial_001/checkpoints/latest.pt"), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    gate.touch()
    # Two go on with it.
    both = [started("resume=sweep"), started("resume=sweep")]
    for worker in both:
        _, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err
    rows = trials()
    assert [row["state"] for row in rows] == ["complete"] * 3
    assert RunFolder.open(Path("sweep/trial_001")).record()["resumed"]


def test_trials_side_by_side(started: Callable[..., "subprocess.Popen[str]"], place: Path) -> None:
    process = started(
        *SEARCH, "hydra.sweeper.trials=3", "hydra.sweeper.at_once=2", "hydra/launcher=cores"
    )
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert len(trials()) == 3


def test_a_failed_trial_is_told_and_the_search_goes_on(command: Command, place: Path) -> None:
    answer = command(*SEARCH, "hydra.sweeper.trials=2", "task.fail_after=150")
    assert answer.code == 1
    assert "No trial is finished" in answer.out
    assert "Sweep sweep: 0 finished, 2 failed." in answer.out
    study = optuna.load_study(
        study_name="search",
        storage=optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend("sweep/study.log")
        ),
    )
    assert [trial.state for trial in study.trials] == [TrialState.FAIL] * 2
    # They are tried again once it goes on, as the jobs of any sweep are, in place of new ones.
    again = command("resume=sweep", "run.steps=200")  # The toy breaks at 300.
    assert again.code == 0, again.err
    assert "Sweep sweep: 2 finished, 0 failed." in again.out
    failed, tried = study.trials[:2], study.trials[2:]
    assert [trial.params for trial in tried] == [trial.params for trial in failed]
    assert [trial.state for trial in tried] == [TrialState.COMPLETE] * 2
    assert not Path("sweep/trial_000").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("algo.discount=0.9",), "algo.discount is given a value, but the search chooses it"),
        (("run.steps=10,20",), "run.steps is given several values"),
        (("hydra.sweeper.trials=0",), "hydra.sweeper.trials"),
        (("~hydra.sweeper.space", "+hydra.sweeper.space={}"), "nothing to search"),
    ],
)
def test_what_cannot_be_searched_is_refused(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    assert command(*SEARCH, *words).refuses(said)


def test_a_search_without_optuna_names_the_extra(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("osimexp.sweeps.search.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setitem(sys.modules, "optuna.trial", None)
    assert command(*SEARCH).refuses("Optuna is not installed", "osimexp[search]")

"""Reports of runs whose scores were made up, read as text and by a real browser."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from browser import Browser, chromium
from commands import Command
from omegaconf import OmegaConf
from test_compare import make_run, two_groups

from osimexp.cli.report import main as report
from osimexp.experiment.run_folder import RunFolder
from osimexp.files import write_json
from osimexp.results.choosing import compared
from osimexp.results.latex import escaped, latex


def test_a_report_has_question_answer_runs_and_commands(command: Command, place: Path) -> None:
    two_groups(place)
    make_run(place / "all/cut", [1.0, 2.0], state="interrupted", seed=9)
    (place / "all/sac0/clip.mp4").write_bytes(b"moving")
    (place / "all/sac1/long.mp4").write_bytes(bytes(30_000))
    answer = command("all", "-o", "out/page.html", "largest_video=0.02", main=report)
    assert answer.code == 0, answer.err
    text = Path("out/page.html").read_text()
    assert "<h1>algo=sac or algo=ppo?</h1>" in text
    # The means of sac are 10 to 14, those of ppo 0 to 8.
    assert "algo=sac has the highest interquartile mean, 12 (" in text
    assert "It is above algo=ppo." in text
    assert re.search(r"<td>algo.clip</td><td>null</td><td>0.2</td>", text)
    assert "Seeds: 0, 1, 2, 3, 4." in text
    assert "all/cut (cut at 100 % of its steps)" in text
    assert text.count("<polyline") == 0  # one evaluation in training is no curve
    assert text.count("<img ") == 3
    assert text.count("<video ") == 1
    assert "long.mp4 is 0 MB and not shown here" in text
    assert "python -m osimexp.report all figure=return -o page.html" in text
    # Nothing is fetched from anywhere.
    assert set(re.findall(r'(?:src|href)="(\w+):', text)) == {"data"}


def test_it_says_how_to_make_sweeps_and_lone_runs_again(command: Command, place: Path) -> None:
    two_groups(place)
    words = {"hydra": ["hydra.mode=MULTIRUN"], "task": ["algo=sac,ppo", "seed=0,1,2,3,4"]}
    plan = {"hydra": {"overrides": words, "runtime": {"config_sources": []}}}
    OmegaConf.save(OmegaConf.create(plan), "all/multirun.yaml")
    make_run(place / "lone", [1.0, 2.0], seed=9)
    record = RunFolder(Path("lone")).record()
    write_json(Path("lone/run.json"), {**record, "command": "python -m osimexp seed=9"})
    assert command("all", "lone", "-o", "page.html", main=report).code == 0
    told = Path("page.html").read_text().partition("Commands that repeat it")[2]
    assert re.findall(r"python.*?(?=\n|<)", told) == [
        "python -m osimexp -m algo=sac,ppo seed=0,1,2,3,4 hydra.sweep.dir=all",
        "python -m osimexp seed=9 run.folder=lone",
        "python -m osimexp.report all lone figure=return -o page.html",
    ]


def test_the_page_shows_in_a_browser(command: Command, place: Path, tmp_path: Path) -> None:
    executable = chromium()
    two_groups(place)
    for seed in range(5):
        make_run(place / f"more/{seed}", [1.0, 4.0, 2.0 + seed], {"algo": "<b>"}, seed=seed, x=1)
    assert command("all", "more", "-o", "page.html", main=report).code == 0
    with Browser(executable, tmp_path / "profile") as browser:
        browser.open((place / "page.html").as_uri(), offline=True)
        assert browser.value("[...document.images].every(i => i.naturalWidth > 300)")
        assert browser.value("document.images.length") == 3
        assert browser.value("document.querySelectorAll('h3').length") == 3
        assert browser.value("document.querySelectorAll('h3 b').length") == 0
        # A run opens at a click, and the page is never wider than its window.
        one = "[...document.querySelectorAll('details')].at(-1)"
        assert not browser.value(f"{one}.open")
        browser.value(f"{one}.querySelector('summary').click()")
        assert browser.value(f"{one}.open")
        assert browser.value(f"{one}.querySelector('table').offsetHeight > 50")
        assert browser.value("document.querySelectorAll('summary svg polyline').length") == 5
        assert browser.value("document.documentElement.scrollWidth <= innerWidth")
        assert browser.problems == []


def test_the_table_for_papers(place: Path) -> None:
    two_groups(place)
    comparison, left_out = compared(["all"], "return", [], 200)
    assert left_out == []
    lines = latex(comparison).splitlines()
    assert lines[5].startswith(r"\textbf{algo=sac} & 5 & $12$ [$")
    assert lines[6].startswith(r"algo=ppo & 5 & $4$ [$")
    assert all(line.count("&") == 4 for line in lines[3:7] if "&" in line)
    assert escaped(r"a_b\c{50%}~") == r"a\_b\textbackslash{}c\{50\%\}\textasciitilde{}"


def test_latex_takes_the_table(place: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("needs LaTeX: apt-get install texlive-latex-base")
    two_groups(place)
    comparison, _ = compared(["all"], "return", [], 200)
    head, foot = r"\documentclass{article}\begin{document}", r"\end{document}"
    Path("table.tex").write_text(f"{head}\n{latex(comparison)}\n{foot}\n")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    assert subprocess.run(words, capture_output=True).returncode == 0


def test_what_cannot_be_reported_is_refused(command: Command, place: Path) -> None:
    two_groups(place, 1)
    assert command("all", "-o", "page.pdf", main=report).refuses("page.pdf", ".html")
    assert command(main=report).refuses("folders of the runs")
    assert command("nowhere", main=report).refuses("nowhere is not there")

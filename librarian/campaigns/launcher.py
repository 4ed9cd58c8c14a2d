"""What runs a task: finds its parameters, and becomes the campaign's script.

A copy of this file, with a first line and a last one of its own, is the batch script of an array. It stands alone: it
needs Python 3.6 and nothing of Librarian's, and no shell reads anything of what it hands on.
"""

import json
import os
import sys
from typing import List

NOT_STARTED = 79
"""The exit status of a task whose array was given up before it started: its row was, or will be, submitted again."""
ENDINGS = {".py": "python3", ".sh": "bash", ".r": "Rscript", ".jl": "julia", ".pl": "perl"}


def run(folder: str, array: str, index: int, log: str = "") -> None:
    """Become the script with the parameters of task `index` of an array of the campaign in `folder`."""
    place = os.path.join(folder, "arrays", array)
    if not log and not claim(place):
        sys.stderr.write("this array was given up before it started\n")
        sys.exit(NOT_STARTED)
    with open(os.path.join(place, "rows.jsonl"), encoding="ascii") as file:
        found = [line for number, line in enumerate(file) if number == index]
    if not found:
        sys.exit("there is no row for task %d" % index)
    task = json.loads(found[0])
    name = "%d.json" % task["row"]
    path = os.path.join(folder, "params", name)
    write(path, task["json"])
    result = os.path.join(folder, "results", name)
    if os.path.exists(result):  # of an earlier try
        os.replace(result, os.path.join(folder, "results", "%d.before" % task["row"]))
    # a script finds the modules that lie beside it where it came from
    known = os.environ.get("PYTHONPATH")
    added = {
        "CAMPAIGN": task["campaign"],
        "CAMPAIGN_ROW": str(task["row"]),
        "CAMPAIGN_REPEAT": str(task["repeat"]),
        "CAMPAIGN_PARAMS": path,
        "CAMPAIGN_RESULT": result,
        "PYTHONPATH": os.path.dirname(task["origin"]) + (":" + known if known else ""),
    }
    environment = dict(os.environb)
    environment.update((os.fsencode(key), os.fsencode(value)) for key, value in added.items())
    # parameters are UTF-8, whatever the locale here is
    environment.update((key.encode(), value.encode()) for key, value in task["environment"].items())
    if log:
        end_with_parent()
        os.chdir(task["workdir"])
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(target, 1)
        os.dup2(target, 2)
    script = os.path.join(folder, "script")
    argv = [os.fsencode(word) for word in command(script, task["origin"])]
    argv += [word.encode() for word in task["arguments"]]
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 -- no shell is what is meant
    except OSError as error:
        sys.exit("%s cannot be run: %s" % (os.fsdecode(argv[0]), error.strerror))


def end_with_parent() -> None:
    """Let this process be killed when the one that started it is, where the system can: else it would go on alone."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL: prctl(2); exec keeps it
    except (ImportError, OSError, AttributeError):
        pass


def claim(place: str) -> bool:
    """Say that the array runs, and as which job; False where it was given up before."""
    job = os.path.join(place, "job")
    if not os.path.exists(job):
        write(job, os.environ.get("SLURM_ARRAY_JOB_ID") or os.environ.get("SLURM_JOB_ID", ""))
    return not os.path.exists(os.path.join(place, "void"))


def command(script: str, origin: str) -> List[str]:
    """How a script is run: by its first line as the kernel reads it, else by the ending of its name."""
    with open(script, "rb") as file:
        first = file.readline(1000)
    if first.startswith(b"#!"):
        words = os.fsdecode(first[2:].strip()).split(None, 1)
        if words:
            return [*words, script]
    interpreter = ENDINGS.get(os.path.splitext(origin)[1].lower())
    return [interpreter, script] if interpreter else [script]


def write(path: str, text: str) -> None:
    """Write a file in one step."""
    draft = "%s.%d.%s" % (path, os.getpid(), os.environ.get("SLURM_JOB_ID", ""))
    with open(draft, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)

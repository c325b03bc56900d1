"""SLURM's commands as small scripts that only keep book: the scheduler faked at the subprocess."""

import json
import stat
import sys

SCRIPT = """#!{python}
import json, os, pathlib, re, shlex, sys, time
book = pathlib.Path({book!r})
state = json.loads(book.read_text())
name, words = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
state["calls"].append([name, *words])

def leave(text="", code=0, error=""):
    whole = book.with_name(f"{{os.getpid()}}.json")
    whole.write_text(json.dumps(state))
    whole.replace(book)
    time.sleep(state["slow"] if text.startswith("Submitted") else 0)
    sys.stdout.write(text)
    sys.stderr.write(error)
    raise SystemExit(code)

if name == "sbatch":
    if "--version" in words:
        leave("slurm 22.05\\n")
    if "--test-only" in words:
        bad = state["refuse"]
        leave(code=1, error=bad + "\\n") if bad else leave()
    text = pathlib.Path(words[-1]).read_text()
    if len(state["jobs"]) == state["fail_after"]:
        leave(code=1, error="sbatch: error: Batch job submission failed: No more\\n")
    number = str(100 + len(state["jobs"]))
    array = re.search(r"--array=0-(\\d+)", text)
    tasks = [number] if array is None else [f"{{number}}_{{i}}" for i in range(int(array[1]) + 1)]
    wait = re.search(r"--dependency=(\\S+)", text)
    state["jobs"][number] = {{
        "tasks": {{task: "PENDING" for task in tasks}},
        "held": "#SBATCH --hold" in text,
        "wait": {{task: wait[1] if wait else "" for task in tasks}},
        "name": shlex.split(re.search(r"--job-name=(.+)", text)[1])[0],
        "text": text,
    }}
    leave(f"Submitted batch job {{number}}\\n")
if name == "squeue":
    lines = [
        f"{{task}}|{{how}}||None|{{job['name']}}"
        for job in state["jobs"].values()
        for task, how in job["tasks"].items()
        if how in ("PENDING", "RUNNING")
    ]
    leave("".join(line + "\\n" for line in lines))
if name == "sacct":
    lines = [
        f"{{task}}|{{how}}|node1|1:0|{{job['name']}}"
        for job in state["jobs"].values()
        for task, how in job["tasks"].items()
    ]
    leave("".join(line + "\\n" for line in lines))
if name == "sinfo":
    leave(state["partitions"])
if name == "scancel":
    for word in words:
        tasks = state["jobs"][word.partition("_")[0]]["tasks"]
        for task in [word] if word in tasks else tasks:
            tasks[task] = "CANCELLED"
    leave()
if name == "sacctmgr":
    leave(state["qos"] if "qos" in words else state["associations"])
if name == "scontrol" and "config" in words:
    leave(f"AccountingStorageEnforce = {{state['enforced']}}\\n")
if name == "scontrol" and "partition" in words:
    leave(f"PartitionName=main AllowQos=ALL Default=YES QoS={{state['of_main']}} State=UP\\n")
if name == "scontrol" and words[0] == "update":
    task, wait = (word.partition("=")[2] for word in words[1:])
    state["jobs"][task.partition("_")[0]]["wait"][task] = wait
    leave()
if name == "scontrol" and words[0] == "release":
    state["jobs"][words[1]]["held"] = False
leave()
"""


COMMANDS = ("sbatch", "srun", "squeue", "sacct", "scancel", "scontrol", "sinfo", "sacctmgr")


class FakeSlurm:
    """The commands in a folder of PATH, and the book that they keep."""

    def __init__(self, folder, monkeypatch):
        self.book = folder / "book.json"
        self.write(
            jobs={}, calls=[], refuse="", fail_after=-1, slow=0, partitions="main*|infinite\n",
            qos="", associations="", enforced="none", of_main="N/A",
        )  # fmt: skip
        binaries = folder / "bin"
        binaries.mkdir()
        for name in COMMANDS:
            script = binaries / name
            script.write_text(SCRIPT.format(python=sys.executable, book=str(self.book)))
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{binaries}:/usr/bin:/bin")

    def read(self):
        return json.loads(self.book.read_text())

    def write(self, **facts):
        known = self.read() if self.book.exists() else {}
        self.book.write_text(json.dumps({**known, **facts}))

    @property
    def jobs(self):
        return self.read()["jobs"]

    def called(self, name):
        return [call[1:] for call in self.read()["calls"] if call[0] == name]

    def set_state(self, task, how):
        state = self.read()
        state["jobs"][task.partition("_")[0]]["tasks"][task] = how
        self.write(**state)

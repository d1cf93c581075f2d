#!/usr/bin/env python3
"""Takes docs/examples for somebody's project and runs its jobs as they are, as GitHub and GitLab would.

An image and a setup action stand for Go as it is here, Node.js 22, and Python in an environment of its own.
`go install …@latest` finds the module as it is here. Last comes a suite of 500 tests in Python, timed.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parent.parent
tools = root / ".venv/examples"

MODULE = "github.com/opencalls/opencalls"

# What the commands that test have to say: of ten tests by each runner.
RESULTS = {"pytest": ["=== 10 passed"], "npm test": ["Tests +10 passed", "^. pass 10$"], "go test ./...": ["^ok "]}


def bash(command: str, folder: Path, env: dict[str, str], show: bool = False) -> str:
    """Runs a command as the services do, and returns what it prints, which is shown if it fails too."""
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", command], cwd=folder, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if show or done.returncode:
        print(done.stdout, flush=True)
    if done.returncode:
        raise SystemExit(f"exit {done.returncode} of: {command}")
    return done.stdout


def install(work: Path) -> dict[str, str]:
    """Installs what the jobs find on their machine, and returns their environment."""
    here_env = dict(os.environ)
    bash(f"npm install --silent --no-save --no-audit --no-fund --prefix {tools} node@22", root, here_env)
    venv.create(work / "python", with_pip=True)
    folders = [work / "python/bin", tools / "node_modules/.bin", work / "bin", os.environ["PATH"]]
    return {**here_env, "PATH": ":".join(map(str, folders)), "GOBIN": str(work / "bin"), "NO_COLOR": "1",
            "GOFLAGS": "-modcacherw", "GONOSUMDB": MODULE,
            "GOPROXY": f"file://{work}/proxy,{bash('go env GOPROXY', root, here_env).strip()}"}


def publish(work: Path, env: dict[str, str]) -> str:
    """Makes a module proxy that has this module alone, and returns the version there, which goes by the content."""
    names = bash("git ls-files --cached --others --exclude-standard", root, env).splitlines()
    others = [name.removesuffix("go.mod") for name in names if name.endswith("/go.mod")]  # modules of their own
    names = [name for name in names if (root / name).is_file() and not any(map(name.startswith, others))]
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    version = f"v0.0.0-examples.{digest.hexdigest()[:12]}"
    folder = work / "proxy" / MODULE / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text(version + "\n")
    (folder / f"{version}.info").write_text(json.dumps({"Version": version, "Time": "2026-01-01T00:00:00Z"}))
    shutil.copy(root / "go.mod", folder / f"{version}.mod")
    with zipfile.ZipFile(folder / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.write(root / name, f"{MODULE}@{version}/{name}")
    return version


def forget(version: str, env: dict[str, str]) -> None:
    """Removes from Go's module cache what publish led to."""
    cache = Path(bash("go env GOMODCACHE", root, env).strip())
    shutil.rmtree(cache / f"{MODULE}@{version}", ignore_errors=True)
    for file in (cache / "cache/download" / MODULE / "@v").glob("*"):
        if version in file.name or file.name == "list":
            file.unlink()


def steps(project: Path) -> list[tuple[str, str, Path]]:
    """The commands of both files: whose they are, what they are, and where they run."""
    from ruamel.yaml import YAML  # check-jsonschema needs it too
    found = []
    github = YAML(typ="safe").load(project / "github-actions.yml")
    for name, job in github["jobs"].items():
        for step in job["steps"]:
            if "run" in step:
                found.append((f"GitHub, {name}", step["run"], project / step.get("working-directory", ".")))
    gitlab = YAML(typ="safe").load(project / "gitlab-ci.yml")
    for name, job in gitlab.items():
        found.append((f"GitLab, {name}", "\n".join(job["script"]), project))
    return found


def check_ends(folder: Path, run: str, ending: str, env: dict[str, str]) -> None:
    """A run of tests that is killed takes its server along. One whose server dies says so."""
    killed, died = (next(here.glob(f"*{how}*.{ending}")) for how in ("killed", "died"))
    shutil.copy(killed, folder)
    shutil.copy(died, folder)
    pid_file = folder / "pid"
    with_pid = {**env, "PID_FILE": str(pid_file)}
    subprocess.run(f"{run} {killed.name}", shell=True, cwd=folder, env=with_pid, capture_output=True)
    stat = Path(f"/proc/{int(pid_file.read_text())}/stat")
    deadline = time.monotonic() + 10
    while stat.exists() and ") Z " not in stat.read_text():  # a zombie has ended
        if time.monotonic() > deadline:
            raise SystemExit(f"{run}: the server goes on where the run is killed")
        time.sleep(0.05)
    done = subprocess.run(f"{run} {died.name}", shell=True, cwd=folder, env=env, capture_output=True, text=True)
    if not done.returncode or not re.search("opencalls ended with (-9|SIGKILL)", done.stdout + done.stderr):
        raise SystemExit(f"{run}, where the server dies: {done.stdout}{done.stderr}")


def main() -> None:
    if Path(sys.prefix) != tools:
        if not tools.exists():
            venv.create(tools, with_pip=True)
        bash(f"{tools}/bin/pip install --quiet -r requirements.txt", here, dict(os.environ))
        os.execv(tools / "bin/python", [str(tools / "bin/python"), __file__])
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        env = install(work)
        project = work / "project"
        shutil.copytree(root / "docs/examples", project, ignore=shutil.ignore_patterns(
            "node_modules", "client", "openapi.yaml", "__pycache__", ".pytest_cache"))
        for schema, file in (("github-workflows", "github-actions.yml"), ("gitlab-ci", "gitlab-ci.yml")):
            bash(f"{tools}/bin/check-jsonschema --builtin-schema vendor.{schema} {file}", project, env)
        version = publish(work, env)
        try:
            bash(f"go mod init example.com/calls && go get -t ./... {MODULE}@latest", project / "go", env)
            for whose, command, where in steps(project):
                begin = time.monotonic()
                said = bash(command, where, {**env, "CI_PROJECT_DIR": str(project)})
                last = command.splitlines()[-1]
                print(f"{whose:18} {time.monotonic() - begin:3.0f} s  {last}", flush=True)
                for result in RESULTS.get(last, []):
                    if not re.search(result, said, re.MULTILINE):
                        raise SystemExit(f"there is no {result} in:\n{said}")
            check_ends(project / "python", "pytest", "py", env)
            check_ends(project / "typescript", "node", "ts", env)
            bash("pytest -q -s --noconftest test_many.py | tail -n 3", here, env, show=True)
        finally:
            forget(version, env)


main()

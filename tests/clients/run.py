#!/usr/bin/env python3
"""Generates clients from openapi.yaml, compiles them, and takes the same steps with each.

    tests/clients/run.py            # those that compile quickly
    tests/clients/run.py --all      # the others too
    tests/clients/run.py NAME...    # those whose names hold one of these
    tests/clients/run.py --table    # only prints the table of docs/contract.md

Versions are pinned in go/go.mod, java/pom.xml, python/requirements.txt, rust/*/Cargo.toml and
typescript/package.json. What a generator writes goes to a folder gen/ beside the steps.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

here = Path(__file__).resolve().parent
root = here.parent.parent
venv_folder = root / ".venv/clients"
jars = venv_folder / "jars"

JAR = ("java/pom.xml", "openapi-generator-cli</artifactId>\n      <version>")
OPENAPI_GENERATOR = "java -jar $JARS/openapi-generator-cli-*.jar generate -i $SPEC --global-property=skipFormModel=false"
TSC = ("tsc --strict --target es2022 --module nodenext --lib es2022,dom,dom.iterable --types node --skipLibCheck"
       " --outDir gen/out")
CARGO = "cargo build --quiet --locked --target-dir target"
UNDEFINED_NAMES = "ruff check --quiet --isolated --no-cache --select F821"


@dataclass
class Generator:
    """How a client is made and compiled, and how the steps are taken, in the folder of a language.

    SPEC is openapi.yaml, JSON_BODIES the same with JSON bodies alone, without the ending .yaml or .json.
    """

    name: str
    folder: str
    pin: tuple[str, str]  # the file that holds its version, and what stands before it there
    options: str  # as docs/contract.md says them
    image: str  # what sends an image
    make: str
    compile: str = ""
    run: str = ""
    slow: bool = False

    def row(self) -> str:
        file, before = self.pin
        version = re.search(re.escape(before) + r"([0-9.]*[0-9])", (here / file).read_text())[1]
        return f"| {self.name} | {version} | {self.options} | {self.image} |"


GENERATORS = [
    Generator("openapi-generator, Go", "go", JAR, "`-g go`, `enumClassPrefix=true`", "plain HTTP",
              f"{OPENAPI_GENERATOR} -g go -o gen/openapigenerator"
              " --additional-properties=enumClassPrefix=true,withGoMod=false,packageName=openapigenerator",
              "go build -o gen/bin/ ./openapigenerator", "gen/bin/openapigenerator"),
    Generator("openapi-generator, Java", "java", JAR, "`-g java --library native`", "plain HTTP",
              f"{OPENAPI_GENERATOR} -g java --library native -o gen/client",
              "javac -nowarn -cp \"$JARS/*\" -d gen/classes Steps.java $(find gen/client/src/main -name '*.java')",
              "java -cp \"gen/classes:$JARS/*\" Steps"),
    Generator("openapi-generator, Python", "python", JAR, "`-g python`", "plain HTTP",
              f"{OPENAPI_GENERATOR} -g python -o gen --additional-properties=packageName=openapi_generator_client",
              f"{UNDEFINED_NAMES} gen/openapi_generator_client", "PYTHONPATH=gen python openapi_generator.py"),
    Generator("openapi-generator, TypeScript", "typescript", JAR, "`-g typescript-fetch`", "plain HTTP",
              f"{OPENAPI_GENERATOR} -g typescript-fetch -o gen/openapi-generator",
              f"{TSC} openapi-generator.ts", "node gen/out/openapi-generator.js"),
    Generator("openapi-generator, Rust", "rust", JAR, "`-g rust`", "plain HTTP",
              f"{OPENAPI_GENERATOR} -g rust -o gen/openapi-generator --additional-properties=packageName=calls",
              f"{CARGO} --manifest-path openapi-generator/Cargo.toml", "target/debug/openapi-generator-steps",
              slow=True),
    Generator("openapi-generator, C#", "java", JAR, "`-g csharp`; only generated, not compiled", "–",
              f"{OPENAPI_GENERATOR} -g csharp -o gen/csharp"),
    Generator("openapi-python-client", "python", ("python/requirements.txt", "openapi-python-client=="),
              "`--bodies json`", "plain HTTP",
              "openapi-python-client generate --path $JSON_BODIES.yaml --output-path gen/python_client --meta none"
              " --overwrite", f"{UNDEFINED_NAMES} gen/python_client", "PYTHONPATH=gen python openapi_python_client.py"),
    Generator("@hey-api/openapi-ts", "typescript", ("typescript/package.json", '"@hey-api/openapi-ts": "'),
              "`-c @hey-api/client-fetch`", "the client, with `formDataBodySerializer`",
              "openapi-ts -i $SPEC -o gen/hey-api -c @hey-api/client-fetch",
              f"{TSC} hey-api.ts", "node gen/out/hey-api.js"),
    Generator("openapi-typescript, with openapi-fetch", "typescript",
              ("typescript/package.json", '"openapi-typescript": "'), "`--enum`", "the client, with a `bodySerializer`",
              "openapi-typescript $SPEC --enum -o gen/openapi-typescript.ts",
              f"{TSC} openapi-typescript.ts", "node gen/out/openapi-typescript.js"),
    Generator("orval", "typescript", ("typescript/package.json", '"orval": "'), "`--bodies json`, `client: 'fetch'`",
              "plain HTTP", "orval --config orval.config.mjs", f"{TSC} orval.ts", "node gen/out/orval.js"),
    Generator("oapi-codegen", "go", ("go/go.mod", "github.com/oapi-codegen/oapi-codegen/v2 v"),
              "`-generate types,client`", "the client",
              "mkdir -p gen/oapicodegen; go tool oapi-codegen -generate types,client -package oapicodegen"
              " -o gen/oapicodegen/client.go $SPEC",
              "go build -o gen/bin/ ./oapicodegen", "gen/bin/oapicodegen"),
    Generator("ogen", "go", ("go/go.mod", "github.com/ogen-go/ogen v"), "`--bodies json`", "plain HTTP",
              "go tool ogen --target gen/ogen --package ogen --clean $JSON_BODIES.yaml",
              "go build -o gen/bin/ ./ogen", "gen/bin/ogen"),
    Generator("progenitor", "rust", ("rust/progenitor/Cargo.toml", 'progenitor = { version = "='),
              "`--bodies json --format json`", "plain HTTP, and so is `null` for no image",
              "mkdir -p gen; cp $JSON_BODIES.json gen/",
              f"{CARGO} --manifest-path progenitor/Cargo.toml", "target/debug/progenitor-steps", slow=True),
]

# What the server sees of the steps: method, path and status.
B, U = "/api/call-managing-organisations/", "/api/call-managing-organisations/UUID/"
STEPS = [
    "POST /api-auth/password/ 200", "GET /api/customers/ 200", "GET /api/users/ 200", "GET /api/roles/ 200",
    f"GET {B} 200", f"POST {B} 201", f"GET {U} 200",
    f"PATCH {U} 200", f"PATCH {U} 200", f"PATCH {U} 200",  # a text, an image, no image
    f"POST {U}add_user/ 201", f"GET {U}list_users/ 200", f"POST {U}delete_user/ 200", f"DELETE {U} 204",
]


def bash(command: str, folder: Path, **env: str) -> None:
    """Runs a command; what it prints is shown if it fails."""
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env={**os.environ, **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        print(done.stdout)
        raise SystemExit(f"exit {done.returncode} of: {command}")


def install(work: Path) -> dict[str, str]:
    """Installs the generators and returns the environment for them."""
    if not venv_folder.exists():
        venv.create(venv_folder, with_pip=True)
    bash(f"{venv_folder}/bin/pip install --quiet -r requirements.txt", here / "python")
    bash("npm install --silent --no-package-lock --no-audit --no-fund", here / "typescript")
    bash(f"rm -rf {jars} && mvn -q -B dependency:copy-dependencies -DoutputDirectory={jars}", here / "java")
    for kind in ("yaml", "json"):
        bash(f"bin/opencalls openapi --bodies json --format {kind} >{work}/json-bodies.{kind}", root)
    folders = [venv_folder / "bin", here / "typescript/node_modules/.bin", os.environ["PATH"]]
    return {"SPEC": f"{root}/openapi.yaml", "JSON_BODIES": f"{work}/json-bodies", "JARS": str(jars),
            "PATH": ":".join(map(str, folders))}


def requests_of(work: Path, use: Callable[[str], None]) -> list[str]:
    """Starts a server with the demo world for a use of its URL, and returns what requests it saw."""
    with open(work / "log", "w") as log:
        server = subprocess.Popen([root / "bin/opencalls", "serve", "--demo", "--database-url", "sqlite::memory:",
                                   "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        use(server.stdout.readline().removeprefix("listening on ").strip())
    finally:
        server.terminate()
        server.communicate()
    entries = map(json.loads, (work / "log").read_text().splitlines())
    seen = [f"{e['method']} {e['path']} {e['status']}" for e in entries if e["msg"] == "request"]
    return [re.sub(r"/[0-9a-f-]{36}/", "/UUID/", line) for line in seen]


def take_steps(generator: Generator, work: Path, env: dict[str, str]) -> None:
    """Runs a client against a server, which must see the steps."""
    seen = requests_of(work, lambda url: bash(
        generator.run, here / generator.folder, **env, BASE_URL=url, USERNAME="demo.staff", PASSWORD="demo",
        CUSTOMER="Lough Derravale College", MEMBER="aino.korpela", ROLE="CUSTOMER.CALL_ORGANIZER", IMAGE=f"{root}/fixture/demo/emajogi.png"))
    if seen != STEPS:
        raise SystemExit(f"{generator.name}: the server saw {seen}")


def run_samples(work: Path, env: dict[str, str]) -> None:
    """Runs the samples of docs/samples.md with the official Python client: 11 requests, none refused."""
    samples = re.search(r"```python\n(.*?)```", (root / "docs/samples.md").read_text(), re.DOTALL)[1]

    def use(url: str) -> None:
        (work / "samples.py").write_text(samples.replace("http://127.0.0.1:8080", url))
        bash(f"python {work}/samples.py", here, **env)

    seen = requests_of(work, use)
    if len(seen) != 11 or any(line.split()[-1] >= "400" for line in seen):
        raise SystemExit(f"the samples of the official Python client: the server saw {seen}")
    print("the samples work with the official Python client", flush=True)


def run_first_steps(work: Path, env: dict[str, str]) -> None:
    """Runs both scripts of docs/first-steps.md, on one server, which the first one starts."""
    page = (root / "docs/first-steps.md").read_text()
    curl, python = (re.search(rf"```{language}\n(.*?)```", page, re.DOTALL)[1] for language in ("bash", "python"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    folder = work / "first-steps"
    folder.mkdir()
    (folder / "client.py").write_text(python.replace("127.0.0.1:8080", address))
    script = curl.replace("127.0.0.1:8080", address) + "\npython client.py\n"
    bash(script, folder, **{**env, "PATH": f"{root}/bin:{env['PATH']}", "OPENCALLS_LISTEN": address})
    print("the first steps work with curl and with the official Python client", flush=True)


def check(generator: Generator, work: Path, env: dict[str, str]) -> None:
    """Makes and compiles a client, and takes the steps."""
    times = []
    for part in (generator.make, generator.compile):
        start = time.monotonic()
        bash(part, here / generator.folder, **env)
        times.append(time.monotonic() - start)
    if generator.run:
        take_steps(generator, work, env)
    print(f"{generator.name:40} made in {times[0]:3.0f} s, compiled in {times[1]:3.0f} s,"
          f" {'the steps work' if generator.run else 'not run'}", flush=True)


def main(arguments: list[str]) -> None:
    table = "\n".join(generator.row() for generator in GENERATORS)
    if arguments == ["--table"]:
        print(table)
        return
    if table not in (root / "docs/contract.md").read_text():
        raise SystemExit(f"docs/contract.md has another table of generators than:\n{table}")
    names = [argument for argument in arguments if argument != "--all"]
    with tempfile.TemporaryDirectory() as folder:
        env = install(Path(folder))
        bash("openapi-spec-validator $SPEC $JSON_BODIES.yaml", here, **env)
        bash("for file in $SPEC $JSON_BODIES.yaml; do node validate.mjs $file; done", here / "typescript", **env)
        print("openapi-spec-validator and swagger-parser find nothing", flush=True)
        if not names:
            run_samples(Path(folder), env)
            run_first_steps(Path(folder), env)
        for generator in GENERATORS:
            if any(name in generator.name for name in names) or not names and (arguments or not generator.slow):
                check(generator, Path(folder), env)


main(sys.argv[1:])

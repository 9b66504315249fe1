"""A local stack and `cargo lambda watch` beside it, on free ports, and what one asks of them."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
GERMANE = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target") / "debug" / "germane"
# So long nothing here takes, on the slowest machine.
PATIENCE_S = 120
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """What was expected did not come."""


def expect(wanted, found, what):
    if found != wanted:
        raise Failed(f"{what}: wanted {wanted!r}, found {found!r}")


def until(what, look):
    """Looks until there is something to see."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise Failed(f"{what} never came")


def ask(method, url, body=None, kind="application/json", headers=()):
    """The status, headers and text of the answer."""
    data = body if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": kind, **dict(headers)}, method=method)
    try:
        with DIRECT.open(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Process:
    """One that is ended by its id, whatever becomes of this script; it does not share this script's Ctrl-C."""

    def __init__(self, name, arguments, work, environment=()):
        self.name = name
        self.log = work / f"{name}.log"
        self.out = work / f"{name}.out"
        with self.log.open("wb") as log, self.out.open("wb") as out:
            self.process = subprocess.Popen(
                arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                start_new_session=True, env={**os.environ, **dict(environment)},
            )

    def logged(self):
        return self.log.read_text() + self.out.read_text()

    def says(self, beginning):
        """The rest of the line that begins so, once it is there."""

        def look():
            lines = self.logged().splitlines()
            found = [line[len(beginning):] for line in lines if line.startswith(beginning)]
            if not found and self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode}")
            return found and found[0]

        return until(f"{beginning!r} of {self.name}", look)

    def remarks(self, text):
        until(f"{text!r} of {self.name}", lambda: text in self.logged())

    def children(self):
        listed = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for file in listed for pid in file.read_text().split()]

    def end(self):
        """As Ctrl-C does; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                return self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()


class Beside:
    """The stack, and where its functions will be."""

    def __init__(self, work):
        self.work = work
        self.port = free_port()
        self.functions = f"http://127.0.0.1:{self.port}"
        self.environment = work / "functions.env"
        arguments = [GERMANE, "local", "--port", "0", "--invoke", self.functions, "--env-file", self.environment]
        self.stack = Process("stack", arguments, work)
        self.watch = None

    def watch_functions(self):
        at = ["-A", "127.0.0.1", "-P", str(self.port)]
        options = ["--ignore-changes", "--concurrency", "2", "--env-file", self.environment]
        self.watch = Process("watch", ["cargo", "lambda", "watch", *options, *at], self.work)
        self.watch.remarks("starting Runtime server")

    def invoke(self, function, *data):
        """What `cargo lambda invoke` prints, and its exit code."""
        at = ["-A", "127.0.0.1", "-P", str(self.port)]
        ran = subprocess.run(
            ["cargo", "lambda", "invoke", *at, function, *data],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )
        return ran.returncode, ran.stdout.strip() or ran.stderr

    def sample(self, function, name):
        """The answer to one of the sample events."""
        code, text = self.invoke(function, "--data-file", f"infra/events/{name}.json")
        expect(0, code, f"the exit code of {name}: {text}")
        return json.loads(text)

    def germane(self, *arguments):
        """The command line's document, from the functions."""
        ran = subprocess.run(
            [GERMANE, "--endpoint", self.functions, "--json", *arguments],
            cwd=self.work, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )
        expect(0, ran.returncode, f"germane {' '.join(arguments)}: {ran.stderr}")
        return json.loads(ran.stdout)

    def end(self):
        for process in (self.watch, self.stack):
            if process:
                process.end()

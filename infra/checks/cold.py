"""How long a function takes from the start of its process to its first answer, on loopback: the part of a cold start that
is ours. The services are a local stack's."""

import http.server
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS = 20
# Milliseconds; people wait for these two.
LIMITS = {"api": 30, "preferences": 30}
EVENTS = {
    "api": "api-report",
    "launch": "launch",
    "send": "send",
    "feedback": "feedback",
    "preferences": "preferences-page",
}


class Desk(http.server.BaseHTTPRequestHandler):
    """Lambda's runtime API for one invocation (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html)."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.server.asked:
            # What was asked for has been answered; the process is about to be ended.
            self.server.over.wait()
            return
        self.server.asked = True
        self.answer(200, self.server.event, {"Lambda-Runtime-Aws-Request-Id": "1", "Lambda-Runtime-Deadline-Ms": "0"})

    def do_POST(self):
        self.server.at = time.perf_counter()
        self.server.how = self.path.rsplit("/", 1)[1]
        self.answer(202, b"", {})
        self.server.answered.set()

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Runtime(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A process that was ended leaves its connections as they are."""


def first_answer(binary, environment, event):
    """In milliseconds."""
    server = Runtime(("127.0.0.1", 0), Desk)
    server.event, server.asked, server.how = event, False, None
    server.answered, server.over = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    told = environment | {
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "germane",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }
    start = time.perf_counter()
    process = subprocess.Popen([binary], env=told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    answered = server.answered.wait(30)
    process.kill()
    said, _ = process.communicate()
    server.over.set()
    server.shutdown()
    server.server_close()
    if not answered or server.how != "response":
        sys.exit(f"{binary} gave no answer:\n{said.decode()}")
    return (server.at - start) * 1000


def main(functions, germane):
    failed = False
    with tempfile.TemporaryDirectory() as work:
        # Nobody listens there: messages wait, and the functions are started here.
        command = [germane, "local", "--port", "0", "--invoke", "http://127.0.0.1:9", "--env-file", f"{work}/env"]
        stack = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)
        try:
            # It says where it listens once it does.
            stack.stdout.readline()
            lines = Path(work, "env").read_text().splitlines()
            environment = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
            print(f"{'function':<22} {'median, ms':>10} {'least':>8} {'most':>8}")
            for function, sample in EVENTS.items():
                event = (ROOT / "infra" / "events" / f"{sample}.json").read_bytes()
                binary = Path(functions) / f"germane-{function}"
                # The first reads the binary from the disk.
                times = [first_answer(binary, environment, event) for _ in range(STARTS + 1)][1:]
                median = statistics.median(times)
                over = median > LIMITS.get(function, float("inf"))
                failed |= over
                told = f"germane-{function:<14} {median:>10.1f} {min(times):>8.1f} {max(times):>8.1f}"
                print(told + (f"  over {LIMITS[function]}" if over else ""), flush=True)
        finally:
            stack.terminate()
            stack.wait()
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

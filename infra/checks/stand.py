"""A stand-in for AWS on loopback, as a process of ours."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
# What the stand-in knows as the account's own; it opens nothing elsewhere.
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}


class Stand:
    """With `settings` of its own, which the functions that it runs see as well."""

    def __init__(self, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        own = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "LAMBDA_EXECUTOR": "local", "IOT_MTLS_ENABLED": "0"}
        command = [str(Path(sys.executable).with_name("ministack"))]
        self.environment = os.environ | KEYS | {"AWS_ENDPOINT_URL": self.url}
        started = self.environment | own | settings
        self.process = subprocess.Popen(command, env=started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait("the stand-in listens", lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.terminate()
        self.process.wait()

    def client(self, service):
        keys = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, **keys)


def wait(what, done, seconds=120):
    end = time.monotonic() + seconds
    while not (found := done()):
        if time.monotonic() > end:
            sys.exit(f"in vain: {what}")
        time.sleep(0.2)
    return found


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, wanted {wanted}")
    print(f"seen: {what}", flush=True)

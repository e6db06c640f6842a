"""A real S3 server, OpenStack Swift with its S3 API, in a temporary folder, on 127.0.0.1 and free ports.

Swift checks every signature, and keeps objects as files. Its four parts are processes of their own, run by
Debian's Python, for which ``python3-swift`` is packaged: https://docs.openstack.org/swift/latest/.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import duckdb

from greynb.databases.engine import extended_instance
from greynb.databases.identifiers import literal
from tests.scale.server import free_port, listens, wait_for

PYTHON = "/usr/bin/python3"
KEY = "races:publisher"
"""Swift's name of the account and the user, which S3 calls the access key."""
_PARTS = ("account", "container", "object", "proxy")
_PIPELINE = (
    "catch_errors gatekeeper cache listing_formats bulk s3api tempauth slo dlo versioned_writes proxy-server"
)
_RINGS = """
import sys
from swift.common.ring import RingBuilder
for part, port in zip(("account", "container", "object"), sys.argv[2:]):
    builder = RingBuilder(4, 1, 0)
    place = {"ip": "127.0.0.1", "port": int(port), "device": "disk", "region": 1, "zone": 1, "weight": 1}
    builder.add_dev({**place, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{part}.ring.gz")
"""
_SERVE = """
import sys
from swift.common.utils import set_swift_dir
set_swift_dir(sys.argv[1])
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(f"{sys.argv[1]}/{sys.argv[2]}.conf", f"{sys.argv[2]}-server"))
"""


def is_installed() -> bool:
    """Whether Debian's Python has Swift."""
    asked = [PYTHON, "-c", "import swift.common.middleware.s3api"]
    return Path(PYTHON).exists() and subprocess.run(asked, check=False).returncode == 0


class S3Server:
    """One server; `stop` and `start` the part that answers S3's calls as often as a test likes.

    Attributes
    ----------
    port
        Of the S3 API.
    secret
        The secret access key that goes with `KEY`.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="greynb-s3-"))
        self.secret = _new_secret()
        self._ports = {part: free_port() for part in _PARTS}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            self._set_up()
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def port(self) -> int:
        return self._ports["proxy"]

    def environment(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{self.port}",
        }

    def request(self, method: str, path: str, *, key: str = KEY) -> int:
        """Ask the server for ``/bucket/object``, signed; gives the status.

        The signature is AWS's fourth:
        https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
        """
        day, empty = time.strftime("%Y%m%d", time.gmtime()), hashlib.sha256().hexdigest()
        headers = {
            "host": f"127.0.0.1:{self.port}",
            "x-amz-content-sha256": empty,
            "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
        }
        signed = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        asked = f"{method}\n{quote(path)}\n\n{lines}\n{signed}\n{empty}"
        scope = f"{day}/us-east-1/s3/aws4_request"
        digest = hashlib.sha256(asked.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{digest}"
        mac = f"AWS4{self.secret}".encode()
        for word in (*scope.split("/"), text):
            mac = hmac.digest(mac, word.encode(), "sha256")
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={mac.hex()}"
        )
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, quote(path), headers=headers)
            with connection.getresponse() as answer:
                return answer.status

    def client(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB that reaches everything there, for a test's own looks."""
        con = extended_instance("httpfs")
        con.execute(
            f"CREATE SECRET (TYPE s3, KEY_ID {literal(KEY)}, SECRET {literal(self.secret)},"
            f" ENDPOINT '127.0.0.1:{self.port}', URL_STYLE 'path', USE_SSL false, REGION 'us-east-1')"
        )
        return con

    def start(self) -> None:
        for part in _PARTS:
            if part not in self._processes:
                with (self._folder / f"{part}.log").open("ab") as log:
                    command = [PYTHON, "-c", _SERVE, str(self._folder), part]
                    self._processes[part] = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(lambda: all(map(listens, self._ports.values())))

    def stop(self) -> None:
        self._end("proxy")

    def freeze(self, *, on: bool) -> None:
        """Let the server take connections and answer nothing, or go on."""
        self._processes["proxy"].send_signal(signal.SIGSTOP if on else signal.SIGCONT)

    def secure(self) -> str:
        """Speak TLS from now on, until `rotate`; gives the file of the certificate, which signed itself."""
        certificate, key = self._folder / "certificate.pem", self._folder / "key.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
                *("-keyout", str(key), "-out", str(certificate)),
            ],
            check=True,
            capture_output=True,
        )
        self.stop()
        conf = self._folder / "proxy.conf"
        own = f"[DEFAULT]\ncert_file = {certificate}\nkey_file = {key}\n"
        conf.write_text(conf.read_text().replace("[DEFAULT]\n", own))
        self.start()
        return str(certificate)

    def rotate(self) -> None:
        """Take another secret from now on, and the one before no more."""
        self.stop()
        self.secret = _new_secret()
        self._configure("proxy")
        self.start()

    def remove(self) -> None:
        for part in list(self._processes):
            self._end(part)
        shutil.rmtree(self._folder)

    def _end(self, part: str) -> None:
        process = self._processes.pop(part)
        process.kill()
        process.wait()

    def _set_up(self) -> None:
        (self._folder / "disks" / "disk").mkdir(parents=True)
        (self._folder / "swift.conf").write_text(
            "[swift-hash]\nswift_hash_path_prefix = races\nswift_hash_path_suffix = races\n"
        )
        for part in _PARTS:
            self._configure(part)
        ports = [str(self._ports[part]) for part in _PARTS[:-1]]
        subprocess.run([PYTHON, "-c", _RINGS, str(self._folder), *ports], check=True)

    def _configure(self, part: str) -> None:
        (self._folder / f"{part}.conf").write_text(self._conf(part))

    def _conf(self, part: str) -> str:
        common = (
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {self._ports[part]}\nworkers = 0\n"
            f"user = {getpass.getuser()}\nswift_dir = {self._folder}\ndevices = {self._folder / 'disks'}\n"
            f"mount_check = false\ndisable_fallocate = true\nlog_address = {self._folder / 'no-syslog'}\n"
        )
        own = f"[app:{part}-server]\nuse = egg:swift#{part}\n"
        if part != "proxy":
            return f"{common}[pipeline:main]\npipeline = {part}-server\n{own}"
        filters = "".join(
            f"[filter:{name}]\nuse = egg:swift#{name if name != 'cache' else 'memcache'}\n"
            for name in _PIPELINE.split()[:-1]
        )
        account, user = KEY.split(":")
        return (
            f"{common}[pipeline:main]\npipeline = {_PIPELINE}\n{own}account_autocreate = true\n{filters}"
        ).replace("#tempauth\n", f"#tempauth\nuser_{account}_{user} = {self.secret} .admin\n")


def _new_secret() -> str:
    """As those of AWS look."""
    return f"{secrets.token_urlsafe(24)}+/={secrets.token_urlsafe(4)}"

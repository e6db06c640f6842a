"""A real Spark of one master, two workers and a Connect server, all separate processes on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from tests.scale.server import free_port, listens, wait_for

_CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "900m",
    "spark.executor.memory": "600m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.network.timeout": "20s",
    "spark.network.timeoutInterval": "5s",
    "spark.executor.heartbeatInterval": "2s",
    "spark.sql.adaptive.enabled": "true",
}


def home() -> Path | None:
    """The folder of PySpark, whose wheel carries all of Spark; None where it is not installed."""
    found = find_spec("pyspark")
    return Path(found.origin).parent if found and found.origin else None


class SparkCluster:
    """The processes; each can be killed and started again."""

    def __init__(self, spark_home: Path) -> None:
        self._home = spark_home
        self._folder = Path(tempfile.mkdtemp(prefix="greynb-spark-"))
        self._env = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYTHON"))
            },
            "SPARK_HOME": str(spark_home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_WORKER_DIR": str(self._folder / "work"),
            "SPARK_LOG_DIR": str(self._folder / "logs"),
        }
        self.master_port, self.port = free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            self._begin()
        except BaseException:
            self.remove()
            raise

    def _begin(self) -> None:
        self._start(
            "master",
            *("bin/spark-class", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1"),
            *("--port", str(self.master_port), "--webui-port", str(free_port())),
        )
        self._listening(self.master_port)
        for number in (1, 2):
            self.start_worker(number)
        self.start_connect()

    @property
    def remote(self) -> str:
        return f"sc://127.0.0.1:{self.port}"

    def start_worker(self, number: int) -> None:
        self._start(
            f"worker{number}",
            *("bin/spark-class", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1"),
            *("--cores", "1", "--memory", "700m", "--webui-port", str(free_port())),
            f"spark://127.0.0.1:{self.master_port}",
        )

    def start_connect(self) -> None:
        conf = {
            **_CONF,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self.port),
        }
        options = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
        self._start(
            "connect",
            *("bin/spark-submit", "--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
            *("--name", "greynb", "--master", f"spark://127.0.0.1:{self.master_port}"),
            *options,
            "spark-internal",
        )
        self._listening(self.port)

    def executors(self) -> list[int]:
        """The process ids of the executors, which the workers started."""
        mine = {process.pid for name, process in self.processes.items() if name.startswith("worker")}
        found = []
        for each in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                command = (each / "cmdline").read_bytes()
                parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
                if b"CoarseGrainedExecutorBackend" in command and parent in mine:
                    found.append(int(each.name))
        return found

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def remove(self) -> None:
        for name in ("connect", "worker1", "worker2", "master"):
            if name in self.processes:
                self.processes[name].terminate()
                with suppress(subprocess.TimeoutExpired):
                    self.processes[name].wait(20)
        for process in self.processes.values():
            process.kill()
            process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, name: str, program: str, *words: str) -> None:
        log = (self._folder / f"{name}.log").open("wb")
        self.processes[name] = subprocess.Popen(
            [str(self._home / program), *words],
            cwd=self._folder,
            env=self._env | {"SPARK_DAEMON_MEMORY": "900m" if name == "connect" else "256m"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()

    def _listening(self, port: int) -> None:
        wait_for(lambda: listens(port), 240)

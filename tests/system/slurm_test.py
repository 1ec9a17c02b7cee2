"""kanc sweep --slurm against a real Slurm: munged, slurmctld and slurmd of Debian's slurm-wlm on this machine, with their own configuration in a
temporary folder. Needs root, which slurmd does."""
import argparse
import glob
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

PATIENCE_S = 120
OPTIONS = None
SKIPPED = 77
DAEMONS = ("munged", "slurmctld", "slurmd")

SPECIFICATION = """name = "sides"
version = "1.0.0"
classes = ["left", "right"]
features = [{ name = "place" }]
[model]
layers = [1, 2]
bits = [4, 6]
[training]
epochs = 2
batch_size = 16
"""

CONFIGURATION = """ClusterName=kantrig
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES State=UP
"""


def find(daemon):
    return shutil.which(daemon, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def why_not():
    """What is missing to run this test; None: nothing."""
    missing = [name for name in (*DAEMONS, "sbatch", "squeue", "sinfo") if not find(name)]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: slurm-wlm)"
    return None if os.geteuid() == 0 else "slurmd needs root"


def free_ports(count):
    """Ports that were free a moment ago, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE_S} s")


class Slurm:
    """A cluster of this machine alone."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []
        for name in ("state", "spool"):
            os.mkdir(f"{folder}/{name}")
        with open(f"{folder}/munge.key", "wb") as key:
            os.chmod(key.name, 0o600)
            key.write(os.urandom(128))
        self.configuration = f"{folder}/slurm.conf"
        self.environment = dict(os.environ, SLURM_CONF=self.configuration)
        self.start("munged", "--foreground", "--force", f"--key-file={folder}/munge.key", f"--socket={folder}/munge.socket",
                   f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed")
        wait_for("munged's socket", lambda: os.path.exists(f"{folder}/munge.socket"))
        ports = free_ports(2)
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(host=socket.gethostname().split(".")[0], folder=folder,
                                            controller_port=ports[0], node_port=ports[1]))
        self.start("slurmctld", "-D", "-c", "-f", self.configuration)
        self.start("slurmd", "-D", "-c", "-f", self.configuration)
        wait_for("an idle node", lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def start(self, daemon, *arguments):
        with open(f"{self.folder}/{daemon}.out", "wb") as out:
            self.started.append(subprocess.Popen([find(daemon), *arguments], stdout=out, stderr=subprocess.STDOUT,
                                                 env=self.environment, cwd=self.folder))

    def ask(self, *command):
        for process in self.started:
            if process.poll() is not None:
                raise AssertionError(f"{process.args[0]} ended with {process.returncode}\n{self.words()}")
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=PATIENCE_S,
                              env=self.environment, check=False).stdout

    def words(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".out", ".log")):
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    text += f"== {name}\n{file.read()[-3000:]}\n"
        return text

    def stop(self):
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class SlurmSweep(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="kantrig-slurm-")
        self.addCleanup(self.temporary.cleanup)
        self.folder = self.temporary.name
        os.mkdir(f"{self.folder}/cluster", 0o755)
        self.slurm = None
        self.addCleanup(lambda: self.slurm and self.slurm.stop())
        self.slurm = Slurm(f"{self.folder}/cluster")
        with open(f"{self.folder}/spec.toml", "w", encoding="utf-8") as file:
            file.write(SPECIFICATION)
        with open(f"{self.folder}/events.csv", "w", encoding="utf-8") as file:
            file.write("place,side\n")
            for i in range(1, 101):
                file.write(f"{i},right\n" if i % 2 == 0 else f"{-i},left\n")

    def kanc(self, *arguments):
        return subprocess.run([OPTIONS.kanc, "sweep", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE_S, cwd=self.folder, env=self.slurm.environment, check=False)

    def test_a_job_array_trains_every_point_and_collect_shows_them(self):
        sweep = ["spec.toml", "--x", "events.csv", "--out", "results", "--over", "model.bits[0]=2,3,99,4", "--over", "training.seed=1,2",
                 "--slurm", "--slurm-at-once", "2", "--slurm-memory", "100M", "--slurm-time", "00:05:00",
                 "--slurm-option=--partition=test"]
        submitted = self.kanc(*sweep)
        self.assertEqual(0, submitted.returncode, submitted.stdout + self.slurm.words())
        self.assertIn("submitted job ", submitted.stdout)
        self.assertIn("8 points", submitted.stdout)
        wait_for("an empty queue", lambda: self.slurm.ask("sinfo", "--noheader", "--format=%T") and
                 not self.slurm.ask("squeue", "--noheader").strip())

        collected = self.kanc("--collect", "--out", "results", "--json")
        logs = "".join(pathlib.Path(path).read_text(encoding="utf-8") for path in glob.glob(f"{self.folder}/results/slurm/*.out"))
        self.assertEqual(1, collected.returncode, "a point failed: " + collected.stdout + logs + self.slurm.words())
        with open(f"{self.folder}/results/results.json", encoding="utf-8") as file:
            results = json.load(file)["results"]
        self.assertEqual(["done"] * 4 + ["failed"] * 2 + ["done"] * 2, [one["state"] for one in results], logs)
        self.assertTrue(os.path.exists(f"{self.folder}/results/pareto_luts.svg"))

        again = self.kanc(*sweep)
        self.assertIn("every point is done", again.stdout)
        os.remove(f"{self.folder}/results/points/{results[3]['key']}/result.json")
        self.assertIn("1 points;", self.kanc(*sweep).stdout)
        wait_for("the point that was missing", lambda: os.path.exists(f"{self.folder}/results/points/{results[3]['key']}/result.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kanc", required=True)
    OPTIONS, rest = parser.parse_known_args()
    REASON = why_not()
    if REASON:
        print(f"skipped: {REASON}")
        sys.exit(SKIPPED)
    unittest.main(argv=[sys.argv[0], *rest])

"""The workers: some stay, the others come and go."""

import json
import signal
import subprocess
import time

# Bytes of a log at which it begins anew (docs/farm.md).
LOG_BYTES = 1 << 20
# What lies in the log of whoever stays when it starts, as of days before.
OLD_LOG_BYTES = LOG_BYTES - 2_000


class Crew:
    """Places of workers, each with a process, or empty for a while."""

    def __init__(self, soak):
        self.soak = soak
        count = soak.options.workers
        self.stay = max(1, count // 4)
        self.names = [f"stay-{number}" if number < self.stay else f"come-{number}" for number in range(count)]
        self.processes = {}
        self.empty_until = {}
        self.next_going = 0.0
        (soak.folder / "logs").mkdir()
        # As often as makes a few hundred goings an hour, and no more than two a second in a short one.
        self.pause = max(0.5, min(10.0, soak.options.minutes * 60 / 60))

    def log(self, name):
        return self.soak.folder / "logs" / f"{name}.log"

    def _start(self, name):
        staying = name.startswith("stay")
        log = self.log(name)
        if staying:
            log.write_text("an old line of the log\n" * (OLD_LOG_BYTES // 23))
        options = ["--name", name, "--backend", "cpu", "--threads", "1", "--log", "debug" if staying else "info"]
        self.processes[name] = subprocess.Popen(
            [self.soak.program("farm-worker"), *options, "--log-file", str(log)],
            env={**self.soak.environment(self.soak.workers), "FARM_REDIS": self.soak.servers.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fill(self):
        """Has a process in every place."""
        for name in self.names:
            if name not in self.processes or self.processes[name].poll() is not None:
                self._start(name)

    def tend(self, comings):
        """Lets one go now and then, and others come."""
        now = time.monotonic()
        for name, process in list(self.processes.items()):
            if process.poll() is None:
                continue
            if name.startswith("stay"):
                self.soak.wrong.append(f"{name} has ended with status {process.returncode}")
            del self.processes[name]
            self.empty_until[name] = now + self.soak.dice.uniform(0.5, 5.0)
        for name in self.names:
            if name not in self.processes and now >= self.empty_until.get(name, 0.0):
                self._start(name)
                self.soak.count("workers came")
        if comings and now >= self.next_going:
            self.next_going = now + self.pause
            self._let_one_go()

    def _let_one_go(self):
        going = [name for name in self.processes if name.startswith("come")]
        if not going:
            return
        name = self.soak.dice.choice(going)
        how = self.soak.dice.choice(["told to end", "killed", "drain", "stop", "restart"])
        process = self.processes[name]
        if how == "told to end":
            process.send_signal(signal.SIGTERM)
        elif how == "killed":
            process.kill()
        elif not self.soak.operate("workers", how, name):
            return
        self.soak.count(f"workers went: {how}")

    def staying(self):
        for name in self.names[: self.stay]:
            yield name, self.processes[name].pid

    def are_there(self):
        """Whether the farm lists all that stay."""
        done = subprocess.run(
            [self.soak.program("submitter"), "workers", "list", "--json", "--redis", self.soak.servers.url],
            env=self.soak.environment(self.soak.submitters),
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            return False
        listed = json.dumps(json.loads(done.stdout))
        return all(f'"{name}"' in listed for name, _ in self.staying())

    def check_logs(self):
        """Logs began anew, and none is longer than it may be."""
        for name, _ in self.staying():
            log = self.log(name)
            old = log.with_name(log.name + ".1")
            if not old.is_file():
                self.soak.wrong.append(f"the log of {name} never began anew: {log.stat().st_size} bytes")
            for path in (log, old):
                if path.is_file() and path.stat().st_size > LOG_BYTES:
                    self.soak.wrong.append(f"{path.name} has {path.stat().st_size} bytes")

    def close(self):
        """Tells all to end, and waits for it."""
        for process in self.processes.values():
            process.terminate()
        for name, process in self.processes.items():
            if process.wait(60) != 0:
                self.soak.wrong.append(f"{name} ended with status {process.returncode}")
        self.processes.clear()

    def kill(self):
        for process in self.processes.values():
            process.kill()
            process.wait()

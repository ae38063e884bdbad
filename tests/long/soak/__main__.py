#!/usr/bin/env python3
"""A farm's day in an hour, or in less: workers come and go, jobs of every kind are made, Redis is restarted twice and another
server takes its place twice, certificates, authorities and passwords are renewed twice without a restart of any program, and
logs begin anew.

    python3 tests/long/soak [--minutes 60] [--jobs 200] [--workers 20] [--seed S] [--built DIR] [--python PYTHON] [--keep DIR]

Redis is two servers and a Sentinel, all under TLS with certificates on both sides and users of the least rights. A quarter of
the workers, the page's server and a Python process stay from the beginning to the end. Compared are: each file with what a
render without a farm makes; what lies in Redis in the end with nothing; and the descriptors, threads and memory of each process
that stayed with what it held when every kind of job had been made once. Ends with status 1 where anything differs.
Standard library only; Python's part takes PYTHON with the package installed, and says where there is none.
"""

import argparse
import collections
import os
import pathlib
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
import time

import figures
import work
from crew import Crew
from page import Page
from servers import USERS, Identity, Servers, replace, until

# Most MiB that a process may have grown by: what the allocator keeps of the largest job varies by this from run to run.
MOST_MIB = 8.0


class Soak:
    """The farm, and what is done to it."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.dice = random.Random(options.seed)
        self.counts = collections.Counter()
        self.away = []
        self.wrong = []
        self.began = time.monotonic()
        kinds = set(work.SHARES) - (set() if options.python else {"python"})
        self.scenes = work.scenes(kinds)
        self.say(f"seed {options.seed}; every scene once without a farm")
        work.learn(self.scenes, folder / "known", lambda words, place: self.submitter(words, place, farm=False), options.python)
        self.passwords = {user: secrets.token_hex(16) for user in USERS}
        self.key = folder / "farm.key"
        replace(self.key, secrets.token_hex(32))
        self.servers = Servers(folder / "servers", self._acl())
        self.workers, self.submitters = (Identity(folder / name) for name in ("workers", "submitters"))
        for identity, user in zip((self.workers, self.submitters), USERS):
            identity.renew(self.servers.authority)
            replace(identity.password, self.passwords[user] + "\n")
        self.page = Page(self)
        self.crew = Crew(self)
        self.notebook = None
        if options.python:
            access = {"user": USERS[1], "password_file": self.submitters.password, "tls_ca": self.servers.authorities}
            access |= {"tls_cert": self.submitters.certificate, "tls_key": self.submitters.key, "farm_key_file": self.key}
            access = {name: str(value) for name, value in access.items()}
            self.notebook = work.Notebook(options.python, folder / "python.log", (self.servers.url, access))

    def say(self, words):
        print(f"soak {time.monotonic() - self.began:6.0f} s: {words}", file=sys.stderr, flush=True)

    def count(self, what):
        self.counts[what] += 1

    def program(self, name):
        return str(self.options.built / name)

    def _acl(self):
        files = []
        for user, option in zip(USERS, ("worker", "submitter")):
            path = self.folder / f"{option}.acl-password"
            replace(path, self.passwords[user] + "\n")
            files += [f"--{option}-password-file", str(path)]
        return subprocess.run([self.program("submitter"), "redis-acl", "--aclfile", *files], check=True, capture_output=True, text=True).stdout

    def environment(self, identity=None):
        """That of a program: with the way into the farm for `identity`, or with none."""
        made = {name: value for name, value in os.environ.items() if not name.startswith(("FARM_", "PENVM_"))}
        made["FARM_JOURNAL"] = str(self.folder / "journals")
        if identity is not None:
            made |= {
                "FARM_REDIS_USER": USERS[0] if identity is self.workers else USERS[1],
                "FARM_REDIS_PASSWORD_FILE": str(identity.password),
                "FARM_TLS_CA": str(self.servers.authorities),
                "FARM_TLS_CERT": str(identity.certificate),
                "FARM_TLS_KEY": str(identity.key),
                "FARM_KEY_FILE": str(self.key),
            }
        return made

    def submitter(self, words, folder, farm=True):
        """Runs a command to its end; what it said where it failed."""
        environment = self.environment(self.submitters if farm else None)
        if farm:
            environment["FARM_REDIS"] = self.servers.url
        line = [self.program("submitter"), *words]
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=work.LIMIT)
        return None if done.returncode == 0 else f"status {done.returncode}: {done.stderr.strip()[-2000:]}"

    def operate(self, *words):
        """An operator's command; whether it was obeyed, as it is not while Redis is away."""
        return self.submitter([*words], self.folder) is None

    def journal(self, folder, scene):
        """Each job has its journal in its own folder."""
        return ["--journal", str(folder / "journal")] if scene.kind == "still" else []

    def was_away(self, since, until):
        """Whether the farm was not to be entered at any moment between two."""
        return any(begin < until and end > since for begin, end in self.away)

    def strike(self, what, deed):
        """Does something to the servers that programs have to bear."""
        self.say(what)
        begin = time.monotonic()
        self.away.append((begin, float("inf")))
        deed()
        # Programs find out by and by.
        self.away[-1] = (begin, time.monotonic() + 5)
        self.count(what)

    def renew(self, number):
        """New certificates, of another authority, and new passwords: first in the order in which nobody is ever refused, then
        with the servers before everybody else."""
        servers, old = self.servers, self.servers.authority
        new = servers.authority = type(old)(self.folder / "servers" / f"authority-{number + 1}")
        in_order = number % 2 == 1
        # Both authorities are trusted for a while.
        replace(servers.authorities, old.text + new.text)
        servers.take_certificates()
        for identity in (servers.own, self.workers, self.submitters, self.page.identity):
            identity.renew(new)
        servers.take_certificates()
        before, self.passwords = self.passwords, {user: secrets.token_hex(16) for user in USERS}
        fresh = {user: [f">{password}"] for user, password in self.passwords.items()}
        servers.set_passwords(fresh if in_order else {user: ["resetpass", *rule] for user, rule in fresh.items()})
        servers.hang_up()
        if not in_order:
            refused = lambda: "WRONGPASS" in servers.ask("INFO", "errorstats")
            until("somebody is refused", refused)
            time.sleep(2)
        for identity, user in zip((self.workers, self.submitters), USERS):
            replace(identity.password, self.passwords[user] + "\n")
        if in_order:
            servers.set_passwords({user: [f"<{password}"] for user, password in before.items()})
        replace(servers.authorities, new.text)
        servers.take_certificates()
        servers.hang_up()
        self.page.until_it_is_trusted(servers.authorities)
        until("all workers that stayed are there again", self.crew.are_there, pause=1)

    def events(self):
        """What happens, and at which part of the time."""
        renew = "certificates, authority and passwords renewed"
        return [
            (0.10, "Redis restarted", self.servers.restart),
            (0.25, "the other server takes over", self.servers.fail_over),
            (0.40, renew, lambda: self.renew(1)),
            (0.55, "Redis restarted", self.servers.restart),
            (0.70, "the other server takes over", self.servers.fail_over),
            (0.85, renew, lambda: self.renew(2)),
        ]

    def make(self, scenes, seconds, events):
        """Has all made within about so many seconds, while events happen and workers come and go."""
        begin = time.monotonic()
        running, waiting, events = [], list(enumerate(scenes, self.counts["jobs"])), list(events)
        while waiting or running or events:
            share = (time.monotonic() - begin) / seconds if seconds else 1.0
            if events and share >= events[0][0]:
                _, what, deed = events.pop(0)
                self.strike(what, deed)
            due = len(scenes) * min(1.0, share)
            if waiting and len(running) < 4 and len(scenes) - len(waiting) <= due:
                number, scene = waiting.pop(0)
                running.append(work.Job(self, number, scene))
                running[-1].start()
                self.count("jobs")
            for job in [job for job in running if not job.is_alive()]:
                running.remove(job)
                self.counts[job.scene.kind] += 1
                self.counts["begun again, as the farm was away"] += job.again
                if job.wrong:
                    self.wrong.append(job.wrong)
                    self.say(f"WRONG: {job.wrong}")
            self.crew.tend(comings=bool(events) or bool(waiting))
            time.sleep(0.05)

    def held(self, before=None):
        """What each process that stays holds at rest; of Python what is allocated, as it says itself."""
        pids = dict(self.staying())
        held = figures.at_rest_again(pids, before) if before else figures.at_rest(pids)
        if self.notebook:
            held["python"].mib = self.notebook.held()
        return held

    def staying(self):
        yield from self.crew.staying()
        yield "page", self.page.process.pid
        if self.notebook:
            yield "python", self.notebook.process.pid

    def memory(self):
        info = dict(line.split(":", 1) for line in self.servers.ask("INFO", "memory").splitlines() if ":" in line)
        return int(info["used_memory"]) / (1 << 20)

    def left(self):
        """What lies in Redis when nobody is there any more, after the time that workers which were killed count as there. What
        operators wanted of workers that ended before they heard it lies there for an hour, and is counted."""
        end = time.monotonic() + 60
        while left := self.servers.keys():
            if left.keys() == {"mf:orders"} and 0 < left["mf:orders"] <= 3600:
                self.counts["orders to workers that had ended, gone within the hour"] = int(self.servers.ask("HLEN", "mf:orders"))
                return {}
            if time.monotonic() > end:
                return left
            time.sleep(1)
        return left

    def run(self):
        """The day; whether all was as it has to be."""
        self.say(f"{self.options.workers} workers; every kind of job twice, to begin with")
        self.crew.fill()
        first = [scene for scene in self.scenes] * 2
        self.make(first, 0, [])
        before, redis = self.held(), self.memory()
        seconds = self.options.minutes * 60
        self.say(f"{self.options.jobs} jobs in {self.options.minutes:g} min")
        self.make(work.drawn(self.scenes, self.options.jobs, self.dice), seconds, self.events())
        self.say("all jobs have ended")
        self.crew.fill()
        after = self.held(before)
        for name, now in after.items():
            line, good = figures.compare(name, before[name], now, MOST_MIB)
            print(line)
            if not good:
                self.wrong.append(f"{name} holds more than it did")
        self.crew.check_logs()
        self.crew.close()
        left = self.left()
        if left:
            self.wrong.append(f"left in Redis, with the seconds that it will be: {left}")
        print(f"Redis      keys {len(left)}   MiB {redis:.1f} -> {self.memory():.1f}")
        for name, count in sorted(self.counts.items()):
            print(f"{count:6} {name}")
        for line in self.wrong:
            print(f"WRONG: {line}")
        return not self.wrong

    def close(self):
        self.crew.kill()
        self.page.close()
        if self.notebook:
            self.notebook.close()
        self.servers.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--built", type=pathlib.Path, default=pathlib.Path("target/release"), help="where the programs are")
    parser.add_argument("--python", type=pathlib.Path, help="a Python with the package mandelfarm")
    parser.add_argument("--keep", type=pathlib.Path, help="where logs and files are, and stay [default: a temporary folder]")
    options = parser.parse_args()
    options.built = options.built.resolve()
    if not options.python:
        print("soak: no --python: the part of Python is left out", file=sys.stderr)
    folder = options.keep or pathlib.Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(exist_ok=True)
    soak = None
    try:
        soak = Soak(options, folder.resolve())
        return 0 if soak.run() else 1
    finally:
        if soak:
            soak.close()
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

"""The servers of the farm: two of Redis, the Sentinel that says which of them counts, and who may come in."""

import os
import pathlib
import secrets
import socket
import subprocess
import time

# How long anything may take that is waited for, on a loaded machine.
PATIENCE = 120.0
NAME = "farm"
USERS = ("farm-worker", "farm-submitter")


def until(what, holds, patience=PATIENCE, pause=0.05):
    """Waits for a condition, and hands on what it said."""
    end = time.monotonic() + patience
    while True:
        said = holds()
        if said:
            return said
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience:.0f} s in vain until {what}")
        time.sleep(pause)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def replace(path, text):
    """Puts a file in a file's place at once, as whoever renews secrets does."""
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    os.replace(fresh, path)


class Authority:
    """An authority, and what it signs."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", "-x509", *key, "-days", "30", "-subj", f"/CN={folder.name}", "-keyout", "ca.key", "-out", "ca.pem")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.text = (folder / "ca.pem").read_text()

    def _openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def sign(self, name):
        """A certificate and its key, as texts."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", *key, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "names"]
        self._openssl("x509", "-req", "-in", f"{name}.csr", *by, "-out", f"{name}.pem")
        return tuple((self.folder / f"{name}.{end}").read_text() for end in ("pem", "key"))


class Identity:
    """A folder with a certificate, its key, and a password where there is one: renewed in their places."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        self.certificate, self.key, self.password = folder / "cert.pem", folder / "key.pem", folder / "password"

    def renew(self, authority):
        certificate, key = authority.sign(self.folder.name)
        replace(self.certificate, certificate)
        replace(self.key, key)


class Servers:
    """Redis twice, and the Sentinel."""

    def __init__(self, folder, acl):
        self.folder = folder
        self.authorities = folder / "ca.pem"
        self.authority = Authority(folder / "authority-1")
        replace(self.authorities, self.authority.text)
        self.own = Identity(folder / "redis")
        self.own.renew(self.authority)
        self.admin = secrets.token_hex(16)
        self.ports = [free_port(), free_port()]
        self.processes = [None, None]
        for number in range(2):
            data = folder / f"redis-{number}"
            data.mkdir()
            (data / "users.acl").write_text(f"user default on >{self.admin} ~* &* +@all\n{acl}")
            self._start(number)
        self.master = 0
        self.ask("REPLICAOF", "127.0.0.1", str(self.ports[0]), at=1)
        until("the second server follows", lambda: "master_link_status:up" in self.ask("INFO", "replication", at=1, fails=True))
        self.sentinel_port = free_port()
        self.sentinel = None
        (folder / "sentinel.conf").write_text(
            f"port 0\ntls-port {self.sentinel_port}\nbind 127.0.0.1\ndir {folder}\n"
            + "".join(f"{name} {value}\n" for name, value in self._tls())
            + f"sentinel monitor {NAME} 127.0.0.1 {self.ports[0]} 1\nsentinel auth-user {NAME} default\n"
            + f"sentinel auth-pass {NAME} {self.admin}\nsentinel down-after-milliseconds {NAME} 60000\n"
            + f"sentinel failover-timeout {NAME} 5000\n"
        )
        self.restart_sentinel()

    @property
    def url(self):
        return f"rediss+sentinel://127.0.0.1:{self.sentinel_port}/{NAME}"

    def _tls(self):
        yield "tls-cert-file", str(self.own.certificate)
        yield "tls-key-file", str(self.own.key)
        yield "tls-ca-cert-file", str(self.authorities)
        yield "tls-auth-clients", "yes"
        yield "tls-replication", "yes"

    def _start(self, number):
        data = self.folder / f"redis-{number}"
        options = {
            "port": "0",
            "tls-port": str(self.ports[number]),
            "bind": "127.0.0.1",
            "dir": str(data),
            "aclfile": str(data / "users.acl"),
            "masteruser": "default",
            "masterauth": self.admin,
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "repl-diskless-sync-delay": "0",
            **dict(self._tls()),
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with open(data / "log", "ab") as log:
            self.processes[number] = subprocess.Popen(["redis-server", *words], stdout=log, stderr=log)
        until("Redis answers", lambda: self.ask("PING", at=number, fails=True) == "PONG")

    def ask(self, *words, at=None, fails=False):
        """What a server answers: the master, where none is named."""
        return self._ask(self.ports[self.master if at is None else at], words, fails, self.admin)

    def _ask(self, port, words, fails, password):
        line = ["redis-cli", "-p", str(port), "--tls", "--cacert", self.authorities, "--cert", self.own.certificate]
        environment = {**os.environ, **({"REDISCLI_AUTH": password} if password else {})}
        done = subprocess.run([*line, "--key", self.own.key, *words], env=environment, capture_output=True, text=True, timeout=30)
        said = done.stdout.strip()
        if not fails and (done.returncode or said.startswith(("ERR", "WRONGPASS", "NOAUTH", "NOPERM"))):
            raise RuntimeError(f"{words[0]}: {said} {done.stderr}")
        return said

    def ask_sentinel(self, *words):
        return self._ask(self.sentinel_port, ("SENTINEL", *words), True, None)

    def restart_sentinel(self):
        if self.sentinel:
            self.sentinel.kill()
            self.sentinel.wait()
        line = ["redis-server", str(self.folder / "sentinel.conf"), "--sentinel"]
        self.sentinel = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until("the Sentinel names a server", lambda: str(self.ports[self.master]) in self.ask_sentinel("GET-MASTER-ADDR-BY-NAME", NAME))

    def restart(self):
        """Ends the server that counts, hard, and starts it with what it had on its disk."""
        self.processes[self.master].kill()
        self.processes[self.master].wait()
        self._start(self.master)

    def fail_over(self):
        """Has the other server take the place of the one that counts."""
        other = 1 - self.master
        until("the other has everything", lambda: "master_link_status:up" in self.ask("INFO", "replication", at=other, fails=True))
        knows = lambda: "master-link-status\nok" in self.ask_sentinel("REPLICAS", NAME)
        until("the Sentinel knows the other", knows, pause=0.5)
        until("the Sentinel obeys", lambda: self.ask_sentinel("FAILOVER", NAME) == "OK", pause=0.5)
        until("the other is master", lambda: "role:master" in self.ask("INFO", "replication", at=other, fails=True))
        until("the Sentinel says so", lambda: str(self.ports[other]) in self.ask_sentinel("GET-MASTER-ADDR-BY-NAME", NAME))
        self.master = other

    def hang_up(self):
        """Ends the connections of the farm's programs."""
        for user in USERS:
            self.ask("CLIENT", "KILL", "USER", user)

    def set_passwords(self, rules):
        """Changes what users say, by rules of ACL SETUSER, on both servers and for good."""
        for number in range(2):
            for user, rule in rules.items():
                self.ask("ACL", "SETUSER", user, *rule, at=number)
            self.ask("ACL", "SAVE", at=number)

    def take_certificates(self):
        """Has all servers speak by the certificates that lie in their files; a Sentinel takes them at its start alone."""
        files = [word for pair in list(self._tls())[:3] for word in pair]
        for number in range(2):
            self.ask("CONFIG", "SET", *files, at=number)
        self.restart_sentinel()

    def keys(self):
        """Everything that lies there, with the seconds that it will."""
        names = [name for name in self.ask("KEYS", "*").splitlines() if name]
        return {name: int(self.ask("TTL", name).split()[-1]) for name in names}

    def close(self):
        for process in [self.sentinel, *self.processes]:
            if process:
                process.kill()
                process.wait()

"""The page's server, and jobs that are left with it."""

import json
import subprocess
import time

from servers import Identity, until


class Page:
    """`submitter serve` on the farm, under TLS, with jobs."""

    def __init__(self, soak):
        self.soak = soak
        self.folder = soak.folder / "pages"
        self.identity = Identity(soak.folder / "page")
        self.identity.renew(soak.servers.authority)
        options = ["--listen", "127.0.0.1:0", "--host", "localhost", "--backend", "cpu", "--log", "info"]
        options += ["--tls-cert", self.identity.certificate, "--tls-key", self.identity.key]
        options += ["--output", self.folder, "--redis", soak.servers.url]
        with open(soak.folder / "page.log", "ab") as said:
            self.process = subprocess.Popen(
                [soak.program("submitter"), "serve", *map(str, options)],
                env=soak.environment(soak.submitters),
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self.address = self.process.stdout.readline().strip()
        self.process.stdout.readline()
        assert self.address.startswith("https://localhost"), self.address

    def _ask(self, *words):
        where = ["--server", self.address, "--server-ca", str(self.soak.servers.authorities), "--json"]
        line = [self.soak.program("submitter"), *words]
        # Options of the server stand before the line of a job.
        at = 2 if words[0] == "submit" else len(line)
        line[at:at] = where if words[0] != "submit" else where[:-1]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=self.soak.environment())
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def submit(self, words):
        """Leaves a job, and says its name."""
        return self._ask("submit", *words, "--json")["job"]

    def wait(self, job, limit):
        """Waits for a job's end. One whose farm was away when it began is tried again, as people do."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            shown = self._ask("jobs", "show", job)
            state = shown["state"]
            if state == "done":
                return
            if state == "failed" and "Redis" in json.dumps(shown):
                self._ask("jobs", "retry", job)
                self.soak.count("page jobs tried again")
            elif state in ("failed", "cancelled"):
                raise RuntimeError(json.dumps(shown))
            time.sleep(0.5)
        raise TimeoutError(f"{job} has not ended within {limit:.0f} s")

    def until_it_is_trusted(self, authorities):
        """Waits until it shows a certificate that these authorities have signed."""
        port = self.address.split("/?")[0].rsplit(":", 1)[1]
        line = ["curl", "-s", "-o", "/dev/null", "--cacert", str(authorities), f"https://localhost:{port}/"]
        until("the page shows its new certificate", lambda: subprocess.run(line).returncode == 0, pause=0.3)

    def close(self):
        self.process.terminate()
        self.process.wait(60)

//! A real sshd on a loopback port of its own, with throw-away keys, and a configuration for ssh that knows it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::servers::server::free_port;

/// Longest time that sshd may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(20);
/// Where systems have it; it wants to be called by its whole path.
const PLACES: [&str; 3] = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/// An sshd that ends, and whose files vanish, on drop.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    folder: TempDir,
    /// Accepts connections, and says nothing.
    _mute: TcpListener,
}

impl Sshd {
    /// Starts one, and writes a configuration for ssh with these hosts:
    ///
    /// - `good`: gets in; `far.N`, N being anything: the same, under other names
    /// - `refused`: nobody listens there
    /// - `unknown`: its host key is not among the known ones
    /// - `locked`: it takes another key
    /// - `hangs`: says nothing
    ///
    /// # Panics
    /// When sshd or ssh-keygen is missing, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let folder = crate::files::folder();
        let at = |name: &str| folder.path().join(name);
        for name in ["host", "user", "other"] {
            keygen(&at(name));
        }
        fs::copy(at("user.pub"), at("authorized")).expect("a copy");
        // Where sshd is started by root it wants this folder; elsewhere it does not need it.
        let _ = fs::create_dir_all("/run/sshd");
        let port = free_port();
        let shown = |name: &str| at(name).to_string_lossy().into_owned();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n\
             MaxStartups 100\n",
            shown("host"),
            shown("authorized")
        );
        fs::write(at("sshd"), config).expect("a file of the test");
        let public = fs::read_to_string(at("host.pub")).expect("a key");
        fs::write(at("known"), format!("good {public}")).expect("a file of the test");
        fs::write(at("nobody"), "").expect("a file of the test");
        let mute = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let mute_port = mute.local_addr().expect("its address").port();
        let host = |name: &str, port: u16, known: &str, key: &str| {
            format!(
                "Host {name}\n HostName 127.0.0.1\n Port {port}\n HostKeyAlias good\n UserKnownHostsFile {}\n IdentityFile {}\n\n",
                shown(known),
                shown(key)
            )
        };
        let config = [
            host("good far.*", port, "known", "user"),
            host("refused", free_port(), "known", "user"),
            host("unknown", port, "nobody", "user"),
            host("locked", port, "known", "other"),
            host("hangs", mute_port, "known", "user"),
            "Host *\n GlobalKnownHostsFile /dev/null\n IdentitiesOnly yes\n IdentityAgent none\n \
             StrictHostKeyChecking yes\n LogLevel ERROR\n"
                .to_owned(),
        ];
        fs::write(at("config"), config.concat()).expect("a file of the test");
        let program = PLACES.iter().find(|place| Path::new(place).exists());
        let program =
            program.expect("sshd is missing: these tests need one (./tests/run installs it)");
        let child = Command::new(program)
            .args(["-D", "-e", "-f"])
            .arg(at("sshd"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log")).expect("a file of the test"))
            .spawn()
            .expect("sshd starts");
        let mut sshd = Self {
            child,
            folder,
            _mute: mute,
        };
        sshd.answers_soon(port);
        sshd
    }

    fn answers_soon(&mut self, port: u16) {
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().expect("a child to wait for");
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                ended.is_none() && began.elapsed() < START_LIMIT,
                "sshd does not answer: {log}"
            );
            std::thread::sleep(GLANCE);
        }
    }

    /// The configuration for ssh.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // By its own handle; sessions that are still open end by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .status();
    let made = made.expect("ssh-keygen is missing: these tests need it (./tests/run installs it)");
    assert!(made.success(), "a key for the test");
}

//! Passwords and certificates that are renewed while programs run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use farm_tests::certificates::{Authority, Pair};
use farm_tests::job::quiet;
use farm_tests::programs::{Run, Running};
use farm_tests::{Server, Worker, digest, folder, submitter, write_secret};

/// How long a program may take to find out what was renewed, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A picture of 96 strips, which take a worker some seconds.
const SCENE: &str = "--arithmetic f64 --re -0.75 --im 0.00001 --zoom 3e9 --size 128x192 --iterations 1000000 \
                     --backend cpu --strip-rows 2";

/// Files with a program's secrets, which are renewed in their places.
struct Secrets {
    folder: PathBuf,
}

impl Secrets {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn copy(&self, from: &Path, name: &str) {
        let text = std::fs::read_to_string(from).expect("a file of the authority");
        write_secret(&self.folder.join(name), &text);
    }

    fn set_password(&self, password: &str) {
        write_secret(&self.folder.join("password"), &format!("{password}\n"));
    }

    fn options(&self) -> String {
        format!(
            "--redis-user farm --redis-password-file {} --tls-ca {} --tls-cert {} --tls-key {}",
            self.path("password"),
            self.path("ca.pem"),
            self.path("cert.pem"),
            self.path("key.pem")
        )
    }
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Hangs up on everybody but whoever asks.
fn hang_up(server: &Server) {
    for kind in ["normal", "pubsub"] {
        server.ask::<i64>(&["CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"]);
    }
}

/// Has the server speak as `pair`, and take clients of this authority alone.
fn renew_server(server: &Server, authority: &Authority, pair: &Pair) {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    server.ask::<()>(&[
        "CONFIG",
        "SET",
        "tls-cert-file",
        &text(&pair.certificate),
        "tls-key-file",
        &text(&pair.key),
        "tls-ca-cert-file",
        &text(&authority.file()),
    ]);
}

/// What a worker opened before the server wanted a password stays open: it must not sit on strips, with heartbeats on the
/// one connection, that it may not deliver on another. Both have one name, as two of one machine: nothing else gives a strip of
/// the one to the other.
#[test]
fn a_worker_that_is_let_in_no_more_is_in_nobodys_way() {
    let (server, folder) = (Server::start(), folder());
    let old = Worker::start(&server, "worker");
    let password = folder.path().join("password");
    write_secret(&password, "a secret\n");
    server.ask::<()>(&[
        "ACL",
        "SETUSER",
        "farm",
        "on",
        ">a secret",
        "~*",
        "&*",
        "+@all",
    ]);
    // The connection on which buffers go; that of heartbeats stays.
    let of_buffers = || {
        let clients: String = server.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
        let line = clients.lines().find(|line| line.contains(" cmd=ping "))?;
        let id = line.strip_prefix("id=")?.split(' ').next()?;
        Some(id.to_owned())
    };
    until("it is open", || of_buffers().is_some());
    let id = of_buffers().expect("it is open");
    server.ask::<i64>(&["CLIENT", "KILL", "ID", &id]);
    server.ask::<()>(&["ACL", "SETUSER", "default", "resetpass", ">another"]);
    let access = format!(
        "--redis-user farm --redis-password-file {}",
        password.display()
    );
    let _new = Worker::start_with(
        &server,
        "worker",
        &format!("--backend cpu --threads 1 {access}"),
    );
    let of_the_farm = format!(
        "render {SCENE} -q -o a.npy {access} --redis {}",
        server.url()
    );
    submitter(&of_the_farm).within(&folder).ok();
    submitter(&format!("render {SCENE} -q -o b.npy"))
        .within(&folder)
        .ok();
    let [a, b] = ["a.npy", "b.npy"].map(|name| digest(folder.path().join(name)));
    assert_eq!(a, b);
    let said = old.said();
    assert!(
        said.contains("NOAUTH") && said.contains("strip given back"),
        "{said}"
    );
}

#[test]
fn a_job_goes_on_while_passwords_and_certificates_are_renewed() {
    let expected = quiet(SCENE);
    let (first, second) = (Authority::new(), Authority::new());
    let (server, port) = first.redis(&first.server("127.0.0.1"), "yes");
    let allow = |password: &str| {
        let password = format!(">{password}");
        let words = ["ACL", "SETUSER", "farm", "on", "resetpass", &password];
        server.ask::<()>(&[&words[..], &["~*", "&*", "+@all"]].concat());
    };
    allow("first");
    let kept = folder();
    let secrets = Secrets {
        folder: kept.path().to_owned(),
    };
    let client = first.client("worker");
    secrets.set_password("first");
    secrets.copy(&first.file(), "ca.pem");
    secrets.copy(&client.certificate, "cert.pem");
    secrets.copy(&client.key, "key.pem");
    let url = format!("rediss://127.0.0.1:{port}");
    let access = secrets.options();
    let access: Vec<&str> = access.split_whitespace().collect();
    let command = Worker::command(&url, "worker", "--backend cpu --threads 1");
    let mut worker = Worker::ready(command.args(&access));
    let out = folder();
    let line = format!("render -q {SCENE} -o x.npy --redis {url}");
    let render = || submitter(&line).args(&access).within(&out);
    let mut job = render().start();
    let id = server.job();

    // A password: the server has it first, and everybody is refused until the file has it.
    server.until_committed(&id, 4);
    allow("second");
    hang_up(&server);
    server.until("both are refused again and again", || {
        server.refusals("WRONGPASS") >= 4
    });
    assert!(job.is_running() && worker.is_running(), "{}", job.said());
    let before = server.committed(&id);
    secrets.set_password("second");
    server.until_committed(&id, before + 8);
    assert!(worker.said().contains("credentials were renewed"));

    // Certificates: the server's and the clients', of another authority, a file after the other.
    let client = second.client("worker");
    renew_server(&server, &second, &second.server("127.0.0.1"));
    hang_up(&server);
    secrets.copy(&client.certificate, "cert.pem");
    worker.until_it_says("cannot be used, and the old ones are: --tls-cert and --tls-key");
    secrets.copy(&client.key, "key.pem");
    secrets.copy(&second.file(), "ca.pem");
    let done = job.wait();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(digest(out.path().join("x.npy")), expected, "{done:?}");
    assert!(worker.is_running(), "{}", worker.said());
    let said = worker.said();
    assert!(
        !said.contains("first") && !said.contains("second"),
        "{said}"
    );

    // Whoever comes with what counted before is not let in.
    secrets.set_password("first");
    let refused = render().run();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("refused the credentials"));
    secrets.set_password("second");
    render().ok();
}

/// A page, and its first address.
fn page(pair: &Secrets) -> (Running, String) {
    let line = format!(
        "serve --listen 127.0.0.1:0 --host localhost --backend cpu --tls-cert {} --tls-key {}",
        pair.path("cert.pem"),
        pair.path("key.pem")
    );
    let mut program = submitter(&line).start();
    until("it has an address", || {
        assert!(program.is_running(), "{}", program.said());
        program.written().lines().count() == 2
    });
    let address = program.written().lines().next().map(str::to_owned);
    let address = address.expect("a line").replace("127.0.0.1", "localhost");
    (program, address)
}

#[test]
fn the_page_shows_certificates_that_were_renewed() {
    let (first, second) = (Authority::new(), Authority::new());
    let kept = folder();
    let secrets = Secrets {
        folder: kept.path().to_owned(),
    };
    let place = |pair: &Pair| {
        secrets.copy(&pair.certificate, "cert.pem");
        secrets.copy(&pair.key, "key.pem");
    };
    place(&first.server("localhost"));
    let (mut program, address) = page(&secrets);
    let script = "import ssl, sys, urllib.request as r, http.cookiejar as c\n\
        context = ssl.create_default_context(cafile=sys.argv[2])\n\
        jar = c.CookieJar()\n\
        r.build_opener(r.HTTPSHandler(context=context), r.HTTPCookieProcessor(jar)).open(sys.argv[1])\n";
    std::fs::write(kept.path().join("ask.py"), script).expect("a file of the test");
    let trusts = |authority: &Authority| {
        let asked = Run::any("python3")
            .arg(kept.path().join("ask.py"))
            .arg(&address)
            .arg(authority.file())
            .run();
        asked.code == Some(0)
    };
    assert!(trusts(&first) && !trusts(&second));
    place(&second.server("localhost"));
    until("the other one's certificate is shown", || trusts(&second));
    assert!(!trusts(&first));
    // What cannot be used changes nothing, and is said once.
    secrets.copy(&first.server("localhost").key, "key.pem");
    until("it says what is wrong", || {
        assert!(trusts(&second));
        program
            .said()
            .contains("renewed certificates cannot be used")
    });
    assert!(trusts(&second) && program.is_running());
    let said = program.said();
    assert_eq!(said.matches("cannot be used").count(), 1, "{said}");
    place(&first.server("localhost"));
    until("those that can be used are taken", || trusts(&first));
}

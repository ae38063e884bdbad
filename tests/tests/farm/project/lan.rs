//! `docs/lan.md` as a reader follows it: its commands word for word, on one machine.

use std::net::TcpListener;
use std::time::Duration;

use farm_tests::page::{self, BlockUse, Reader};
use farm_tests::programs::Run;
use farm_tests::{digest, folder, house, names_in, submitter};

const PAGE: &str = "docs/lan.md";
const LIFE: Duration = Duration::from_secs(180);

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener
        .local_addr()
        .expect("its number")
        .port()
        .to_string()
}

/// Names of figures in the page, as `farm_worker_...`.
fn figures(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = text.split(|c| !is_name(c));
    names
        .filter(|name| name.starts_with("farm_worker_"))
        .collect()
}

#[test]
fn every_command_of_the_page_works() {
    let folder = folder();
    let (port, metrics) = (free_port(), free_port());
    std::fs::create_dir(folder.path().join("deploy")).expect("a folder");
    for file in ["secrets.sh", "redis.conf"] {
        let text = page::read(&format!("deploy/{file}"));
        let text = text.replace("tls-port 6379", &format!("tls-port {port}"));
        let path = folder.path().join("deploy").join(file);
        std::fs::write(&path, text).expect("a file");
        let source = house::top().join("deploy").join(file);
        let mode = std::fs::metadata(source).expect("a file").permissions();
        std::fs::set_permissions(path, mode).expect("a file");
    }
    let replaced = [
        // First, because the second is its end.
        ("another-name.example", "another-name.test"),
        ("farm.example", "localhost"),
        (":6379", &format!(":{port}")),
        ("-p 6379", &format!("-p {port}")),
        ("127.0.0.1:9464", &format!("127.0.0.1:{metrics}")),
        // The machine may have adapters that take a while to open.
        (
            "farm-worker --redis",
            "farm-worker --backend cpu --threads 1 --redis",
        ),
    ];
    let mut reader = Reader::new(folder.path(), &replaced);
    let text = page::read(PAGE);
    let blocks = page::blocks(&text).expect("every block says whether it is run");
    let mut ran = 0;
    let mut said = String::new();
    for block in &blocks {
        match &block.usage {
            BlockUse::NotRun(why) => assert!(why.len() > 5, "line {}", block.line),
            BlockUse::Background => {
                let started = reader.start(&block.commands, LIFE);
                // Redis tells it on stdout, the worker on stderr; who comes next would find neither without it.
                if block.commands.starts_with("redis-server") {
                    wait_for(&port);
                } else {
                    started.until_it_says("ready");
                }
            }
            BlockUse::Run => {
                // A reader is slower: workers are listed a second after they came.
                let first = match block.commands.contains("submitter workers list") {
                    true => {
                        "for _ in $(seq 100); do submitter workers list | grep -q serving && break; sleep 0.1; done\n"
                    }
                    false => "",
                };
                said += &reader.run(&format!("{first}{}", block.commands)).stdout;
                ran += 1;
            }
        }
    }
    assert!(ran >= 6, "{ran} blocks");
    assert!(said.contains("PONG") && said.contains("serving"), "{said}");
    // Three answers of changed users, and one of a changed certificate.
    assert_eq!(
        said.lines().filter(|line| *line == "OK").count(),
        4,
        "{said}"
    );
    // The picture is the farm's, and the same as without one.
    submitter("render -q --density 512 -o alone.png")
        .within(&folder)
        .ok();
    assert_eq!(
        digest(folder.path().join("set.png")),
        digest(folder.path().join("alone.png"))
    );
    let names = names_in(&folder.path().join("secrets"));
    assert!(!names.iter().any(|name| name.contains("new")), "{names:?}");
    certificate_has_its_new_name(&folder, &port);
    // The new password is the one that opens.
    let worker = reader.run(
        "farm-worker --redis rediss://farm.example:6379 --tls-ca secrets/ca.pem --redis-user farm-worker \\\n --redis-password-file secrets/worker.pw --farm-key-file secrets/farm.key --name second & \n worker=$!; \n for _ in $(seq 100); do submitter workers list | grep -q second && break; sleep 0.1; done; submitter workers list; kill $worker; wait $worker",
    );
    assert!(worker.stdout.contains("second"), "{worker:?}");
    // Every figure that the page tells of is one of a worker's; the queue's depth is told once a look at it saw any.
    let page_of_figures = Run::any("bash")
        .args(["-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{metrics}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")])
        .ok()
        .stdout;
    let told = figures(&text);
    assert!(told.len() >= 8, "{told:?}");
    let missing: Vec<_> = told
        .iter()
        .filter(|name| **name != "farm_worker_queue_depth")
        .filter(|name| !page_of_figures.contains(&format!("\n{name}")))
        .collect();
    assert!(missing.is_empty(), "{missing:?} in {page_of_figures}");
}

/// Waits until somebody listens there.
fn wait_for(port: &str) {
    for _ in 0..200 {
        if std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nobody listens at {port}");
}

/// What Redis shows since its certificate was made anew.
fn certificate_has_its_new_name(folder: &tempfile::TempDir, port: &str) {
    let shown = Run::any("bash")
        .args(["-c", &format!("openssl s_client -connect localhost:{port} </dev/null 2>/dev/null | openssl x509 -noout -ext subjectAltName")])
        .within(folder)
        .ok();
    assert!(shown.stdout.contains("DNS:another-name.test"), "{shown:?}");
}

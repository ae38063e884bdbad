//! What a stranger, a broken worker or another version might put into a job's keys: it is refused and
//! counted, the job goes on, and the picture is right.
//!
//! Each plant is made while a job waits for its first worker, so that somebody has to meet it.

use farm_queue::protocol::{blob, spec};
use farm_queue::{JobId, JobSpec};
use farm_tests::scenes::QUICK;
use farm_tests::{Server, Worker, digest, folder, submitter};
use fractal::{Arithmetic, Backend, Origin, Plane, StripBuffer};

/// Larger than any result may be.
const FLOOD: usize = 24 << 20;

/// Puts something bad into a job's keys.
type Plant = fn(&Target);

/// A job that waits for workers.
struct Target<'a> {
    server: &'a Server,
    id: JobId,
}

impl Target<'_> {
    fn key(&self, part: &str) -> String {
        format!("mf:{{{}}}:{part}", self.id)
    }

    fn add(&self, stream: &str, fields: &[&str]) {
        let key = self.key(stream);
        let words = ["XADD", &key, "*"]
            .into_iter()
            .chain(fields.iter().copied());
        self.server.ask::<String>(&words.collect::<Vec<_>>());
    }

    /// Stores bytes as the result of strip 0.
    fn store(&self, bytes: &[u8]) {
        let key = self.key("r:0");
        self.server.ask::<()>(&[b"SET", key.as_bytes(), bytes]);
    }

    fn spec(&self) -> JobSpec {
        let text: String = self.server.ask(&["GET", &self.key("spec")]);
        spec::decode(text.as_bytes(), None).expect("a job's parameters")
    }

    /// A right result for a strip of the job `spec`, but for its values, which are all 0.
    fn blob(&self, spec: &JobSpec, strip: u32) -> Vec<u8> {
        let strip = spec.strips.strip(strip).expect("a strip");
        let pixels = strip.rows as usize * spec.frame.width as usize;
        let planes = spec.frame.measures.iter();
        let buffer = StripBuffer {
            strip,
            width: spec.frame.width,
            planes: planes
                .map(|m| Plane::from_bytes(m, &vec![0; pixels * m.bytes()]))
                .collect(),
            iterations_total: 0,
            settling: fractal::Settling::default(),
            origin: Origin {
                backend: Backend::Cpu,
                arithmetic: Arithmetic::F64,
                device: "forged".into(),
                // The processor's: buffers of kernels that nobody has are refused.
                kernel_id: 0x6370_7500_0000_0003,
            },
            busy_secs: 0.0,
        };
        blob::encode(&spec.id, &buffer, "forger", 1)
    }
}

/// What is planted: its name, how, and whether the submitter meets it and has to count it.
const PLANTS: [(&str, Plant, bool); 25] = [
    (
        "a strip without fields of ours",
        |t| t.add("q", &["hello", "world"]),
        false,
    ),
    (
        "a strip that is no number",
        |t| t.add("q", &["v", "2", "s", "zero"]),
        false,
    ),
    (
        "a strip past the last",
        |t| t.add("q", &["v", "2", "s", "4294967295"]),
        false,
    ),
    (
        "a strip of another version",
        |t| t.add("q", &["v", "1", "s", "0"]),
        false,
    ),
    (
        "a strip twice",
        |t| t.add("q", &["v", "2", "s", "0"]),
        false,
    ),
    (
        "a strip of a hundred fields",
        |t| t.add("q", &["v", "2"].repeat(100)),
        false,
    ),
    (
        "a flood in the queue",
        |t| t.add("q", &["v", "2", "s", &"0".repeat(FLOOD)]),
        false,
    ),
    (
        "a malformed announcement",
        |t| t.add("done", &["hello", "world"]),
        true,
    ),
    (
        "an announcement past the last strip",
        |t| t.add("done", &["v", "2", "s", "99999"]),
        true,
    ),
    (
        "an announcement of another version",
        |t| t.add("done", &["v", "9", "s", "0"]),
        true,
    ),
    (
        "a flood of an announcement",
        |t| t.add("done", &["v", "2", "s", &"0".repeat(FLOOD)]),
        true,
    ),
    (
        "an announcement without a result",
        |t| t.add("done", &["v", "2", "s", "2"]),
        true,
    ),
    ("an empty result", |t| t.store(b""), true),
    ("a foreign result", |t| t.store(b"GIF89a and so on"), true),
    ("a flood of a result", |t| t.store(&vec![7; FLOOD]), true),
    (
        "a truncated result",
        |t| {
            let blob = t.blob(&t.spec(), 0);
            t.store(&blob[..blob.len() - 1]);
        },
        true,
    ),
    (
        "a result that is cut in its header",
        |t| t.store(&t.blob(&t.spec(), 0)[..40]),
        true,
    ),
    (
        "a result with one bit turned",
        |t| {
            let mut blob = t.blob(&t.spec(), 0);
            if let Some(last) = blob.last_mut() {
                *last ^= 1;
            }
            t.store(&blob);
        },
        true,
    ),
    (
        "another strip's result",
        |t| t.store(&t.blob(&t.spec(), 1)),
        true,
    ),
    (
        "another job's result",
        |t| {
            let other = JobSpec {
                id: JobId::generate(),
                ..t.spec()
            };
            t.store(&t.blob(&other, 0));
        },
        true,
    ),
    (
        "a malformed dead letter",
        |t| t.add("dead", &["hello", "world"]),
        true,
    ),
    (
        "a job that is no job",
        |t| {
            t.server.ask::<()>(&["ZADD", "mf:jobs", "0", "not a job"]);
        },
        false,
    ),
    (
        "a job without parameters",
        |t| {
            t.server
                .ask::<()>(&["ZADD", "mf:jobs", "0", JobId::generate().as_str()]);
        },
        false,
    ),
    (
        "a job with foreign parameters",
        |t| plant_job(t, "{\"run\": \"rm -rf\"}"),
        false,
    ),
    (
        "a job with a flood of parameters",
        |t| plant_job(t, &"[".repeat(FLOOD)),
        false,
    ),
];

/// A job of somebody else beside the one that is watched.
fn plant_job(target: &Target, spec: &str) {
    let id = JobId::generate();
    let (server, key) = (target.server, |part: &str| format!("mf:{{{id}}}:{part}"));
    server.ask::<()>(&["SET", &key("spec"), spec]);
    server.ask::<String>(&["XADD", &key("q"), "*", "v", "2", "s", "0"]);
    server.ask::<()>(&["XGROUP", "CREATE", &key("q"), "w", "0"]);
    server.ask::<()>(&["ZADD", "mf:jobs", "0", id.as_str()]);
}

fn expected() -> u64 {
    let folder = folder();
    submitter(&format!("render -q {QUICK} --backend cpu -o x.npy"))
        .within(&folder)
        .ok();
    digest(folder.path().join("x.npy"))
}

#[test]
fn whatever_is_planted_the_picture_is_right() {
    let expected = expected();
    for (what, plant, is_counted) in PLANTS {
        let server = Server::start();
        let folder = folder();
        let line = format!(
            "render -q {QUICK} --backend cpu -o x.npy --json --log error --redis {}",
            server.url()
        );
        let running = submitter(&line).within(&folder).start();
        let id = server.job();
        plant(&Target {
            server: &server,
            id: id.clone(),
        });
        let mut worker = Worker::start(&server, "worker");
        let done = running.wait();
        assert_eq!(done.code, Some(0), "{what}: {done:?}");
        assert_eq!(digest(folder.path().join("x.npy")), expected, "{what}");
        assert!(worker.is_running(), "{what}: the worker lives on");
        let rejected = done.json()["rejected"].as_u64().expect("a number");
        assert_eq!(rejected > 0, is_counted, "{what}: {rejected} rejected");
        assert_eq!(
            server.keys(&format!("mf:{{{id}}}*")),
            [""; 0],
            "{what}: no key is left"
        );
    }
}

#[test]
fn control_a_forged_result_that_fits_would_be_seen() {
    // The digest guards against accidents, not against forgers: so this is how a wrong picture looks, and
    // the comparison above sees it.
    let server = Server::start();
    let folder = folder();
    let line = format!(
        "render -q {QUICK} --backend cpu -o x.npy --redis {}",
        server.url()
    );
    let running = submitter(&line).within(&folder).start();
    let target = Target {
        server: &server,
        id: server.job(),
    };
    target.store(&target.blob(&target.spec(), 0));
    let _worker = Worker::start(&server, "worker");
    assert_eq!(running.wait().code, Some(0));
    assert_ne!(digest(folder.path().join("x.npy")), expected());
}

#[test]
fn strangers_on_the_hint_channel_are_not_heard() {
    let expected = expected();
    let server = Server::start();
    let folder = folder();
    let line = format!(
        "render -q {QUICK} --backend cpu -o x.npy --redis {}",
        server.url()
    );
    let running = submitter(&line).within(&folder).start();
    let _ = server.job();
    let _worker = Worker::start(&server, "worker");
    for word in [
        "",
        "stop",
        "ended",
        "work",
        "claim",
        "{\"v\": 1}",
        &"x".repeat(1 << 20),
    ] {
        server.ask::<()>(&["PUBLISH", "mf:ctl", word]);
    }
    assert_eq!(running.wait().code, Some(0));
    assert_eq!(digest(folder.path().join("x.npy")), expected);
}

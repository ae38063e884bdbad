//! The images, built layer by layer from the Dockerfile's own lines on a Debian of its own, and run as it says.

use std::path::Path;

use farm_tests::job::quiet;
use farm_tests::programs::{Run, path_of};
use farm_tests::scenes::QUICK;
use farm_tests::{Root, Server, Worker, digest, folder, submitter};

use super::setup::{LIFE, text};

/// An instruction of the Dockerfile: its word, and the rest of its line.
type Instruction = (String, String);

/// Instructions of the stage that ends with `AS name`, its own first line included.
fn stage(name: &str) -> Vec<Instruction> {
    let dockerfile = text("Dockerfile");
    let lines = dockerfile.lines().filter(|line| !line.starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let mut own = false;
    let mut instructions = Vec::new();
    for line in joined.lines().map(str::trim) {
        let Some((word, rest)) = line.split_once(' ') else {
            continue;
        };
        if word == "FROM" {
            own = rest.ends_with(&format!(" AS {name}"));
        }
        if own {
            instructions.push((word.to_owned(), rest.trim().to_owned()));
        }
    }
    assert!(!instructions.is_empty(), "no stage '{name}'");
    instructions
}

/// What an image is run with.
struct Image {
    root: Root,
    environment: Vec<String>,
    user: String,
    folder: String,
    entry: String,
}

impl Image {
    /// Carries out a stage's instructions.
    fn build(name: &str) -> Self {
        let mut image = Self {
            root: Root::debian(),
            environment: Vec::new(),
            user: "0:0".to_owned(),
            folder: "/".to_owned(),
            entry: String::new(),
        };
        // As an engine does it: names are looked up as the machine does.
        image
            .root
            .put(Path::new("/etc/resolv.conf"), "/etc/resolv.conf");
        for (word, rest) in stage(name) {
            match word.as_str() {
                "FROM" => assert!(rest.starts_with("debian:bookworm-slim "), "{rest}"),
                "RUN" => {
                    let command = ["sh", "-c", &rest];
                    image.root.command(None, &command).limit(LIFE).ok();
                }
                "ENV" => image
                    .environment
                    .extend(rest.split_whitespace().map(str::to_owned)),
                "COPY" => {
                    let words: Vec<&str> = rest.split_whitespace().collect();
                    let ["--from=build", from, to] = words[..] else {
                        panic!("COPY {rest}")
                    };
                    let program = from.strip_prefix("/out/").expect("a program of the build");
                    image.root.put(&path_of(program), &format!("{to}{program}"));
                }
                "WORKDIR" => {
                    image.folder = rest.clone();
                    let made = ["install", "-d", "-m", "777", &rest];
                    image.root.command(None, &made).ok();
                }
                "USER" => image.user = rest,
                "ENTRYPOINT" => {
                    let words: Vec<String> = serde_json::from_str(&rest).expect("a list");
                    image.entry = words.join(" ");
                }
                _ => panic!("{word} {rest}"),
            }
        }
        image
    }

    /// Its program, with arguments.
    fn run(&self, arguments: &str) -> Run {
        let line = format!("cd {} && exec {} {arguments}", self.folder, self.entry);
        let mut words = vec!["env"];
        words.extend(self.environment.iter().map(String::as_str));
        words.extend(["sh", "-c", &line]);
        self.root.command(Some(&self.user), &words).limit(LIFE)
    }
}

#[test]
fn the_images_layers_are_built_and_serve_one_farm() {
    // The build's layer is what builds these tests' programs, from the same files.
    let build = stage("build");
    let run = build.iter().find(|(word, _)| word == "RUN");
    let (_, run) = run.expect("a build");
    assert!(run.contains("cargo build --release --locked"), "{run}");
    for program in ["farm-worker", "submitter"] {
        assert!(run.contains(&format!("target/release/{program}")), "{run}");
    }
    let server = Server::start();
    let url = server.url();
    let expected = quiet(&format!("{QUICK} --backend cpu"));
    let worker = Image::build("worker");
    assert_eq!(worker.user, "65534:65534");
    // By the adapters that the image brings: the software one at least.
    let options = format!("--redis {url} --backend gpu");
    let serving = Worker::ready(worker.run(&options));
    let out = folder();
    submitter(&format!("render -q {QUICK} --redis {url} -o x.png"))
        .within(&out)
        .ok();
    assert!(out.path().join("x.png").is_file());
    drop(serving);
    let serving = Worker::ready(worker.run(&format!("--redis {url} --backend cpu --threads 1")));
    let submitter = Image::build("submitter");
    submitter
        .run(&format!(
            "render -q {QUICK} --backend cpu --redis {url} -o x.npy"
        ))
        .ok();
    assert_eq!(digest(submitter.root.join("/pictures/x.npy")), expected);
    drop(serving);
}

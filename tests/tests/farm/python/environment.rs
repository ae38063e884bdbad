//! A virtual environment with the wheel of this build, made once for all tests.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use farm_tests::house;
use farm_tests::programs::{Run, path_of};
use farm_tests::tools::{build_folder, tools};

/// How long the wheel may take to be built and installed, beside everything else.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
/// How long the tests of one file may take.
const TEST_LIMIT: Duration = Duration::from_secs(600);

/// The environment; its folder stays beside the build until the next run makes it anew.
static MADE: OnceLock<Environment> = OnceLock::new();

/// A virtual environment with the package and what its tests need.
pub struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// The one of this build.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn get() -> &'static Self {
        MADE.get_or_init(Self::make)
    }

    fn make() -> Self {
        let made = Self {
            folder: tools().with_file_name("package"),
        };
        let _ = std::fs::remove_dir_all(&made.folder);
        let wheels = made.folder.join("wheels");
        let build = build_folder();
        let cargo = PathBuf::from(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let path = std::env::var("PATH").unwrap_or_default();
        let path = match cargo.parent() {
            Some(folder) => format!("{}:{path}", folder.display()),
            None => path,
        };
        // Into the folder and by the profile of this build: nothing but what Python's headers decide is compiled again.
        Run::any(tools().join("bin/maturin"))
            .args(["build", "--release", "--locked", "--offline", "-q", "-o"])
            .arg(&wheels)
            .env(
                "CARGO_TARGET_DIR",
                &build.parent().unwrap_or(&build).to_string_lossy(),
            )
            .env("PATH", &path)
            .within(house::top().join("python"))
            .limit(BUILD_LIMIT)
            .ok();
        let wheel = std::fs::read_dir(&wheels).expect("a folder of wheels");
        let wheel: Vec<PathBuf> = wheel.flatten().map(|entry| entry.path()).collect();
        assert_eq!(wheel.len(), 1, "{wheel:?}");
        Run::any("python3")
            .args(["-m", "venv"])
            .arg(made.folder.join("env"))
            .ok();
        Run::any(made.program("pip"))
            .args(["install", "-q", "--disable-pip-version-check", "--no-index"])
            .arg("--find-links")
            .arg(tools().with_file_name("wheels"))
            .arg("-r")
            .arg(house::top().join("python/tests/requirements.txt"))
            .arg(&wheel[0])
            .limit(BUILD_LIMIT)
            .ok();
        made
    }

    /// A program of the environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("env/bin").join(name)
    }

    /// The folder of its programs, before all others.
    pub fn path(&self) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{path}", self.program("").display())
    }

    /// Runs the tests of `python/tests/test_NAME.py`, and says how many there are.
    ///
    /// # Panics
    /// When one of them fails or is skipped.
    pub fn pytest(&self, name: &str) -> usize {
        let programs = build_folder();
        for program in ["submitter", "farm-worker"] {
            let _ = path_of(program);
        }
        let done = Run::any(self.program("python"))
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider"])
            .arg(format!("tests/test_{name}.py"))
            .env("MANDELFARM_PROGRAMS", &programs.to_string_lossy())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PATH", &self.path())
            .within(house::top().join("python"))
            .limit(TEST_LIMIT)
            .ok();
        let summary = done.stdout.lines().last().unwrap_or_default();
        assert!(!summary.contains("skipped"), "{summary}");
        let words: Vec<&str> = summary.split_whitespace().collect();
        let at = words
            .iter()
            .position(|word| *word == "passed" || *word == "passed,");
        let passed = at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok());
        passed.unwrap_or_else(|| panic!("{}", done.stdout))
    }
}

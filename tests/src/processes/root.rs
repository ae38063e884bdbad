//! A Debian of its own in a folder, in which programs run with `chroot`: for what is installed, without touching the
//! machine.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::files::folder;
use crate::processes::programs::Run;
use crate::tools::tools;

/// What programs find on their `PATH` in there.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Debian's base in a folder, which is gone with everything in it on drop.
#[derive(Debug)]
pub struct Root {
    folder: TempDir,
}

impl Root {
    /// A fresh one of the archive that `tests/prepare` makes.
    ///
    /// # Panics
    /// When there is no archive, or nobody may unpack it: that takes root's rights.
    #[must_use]
    pub fn debian() -> Self {
        let archive = tools().with_file_name("root.tar");
        assert!(
            archive.is_file(),
            "{} is missing (./tests/run makes it)",
            archive.display()
        );
        let root = Self::empty();
        privileged("tar")
            .args(["--extract", "--numeric-owner", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(root.path())
            .ok();
        root
    }

    /// One with nothing in it.
    ///
    /// # Panics
    /// When the folder cannot be opened to everybody.
    #[must_use]
    pub fn empty() -> Self {
        let folder = folder();
        // Whoever works in there has to pass it.
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).expect("its owner's right");
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A path in there, as seen from outside.
    #[must_use]
    pub fn join(&self, path: &str) -> PathBuf {
        self.path().join(path.trim_start_matches('/'))
    }

    /// Puts a file in there, readable by everybody.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn put(&self, file: &Path, path: &str) {
        privileged("install")
            .args(["-D", "-m", "755"])
            .arg(file)
            .arg(self.join(path))
            .ok();
    }

    /// A command in there, as root or as `user` (numbers: `USER:GROUP`), in `/` and with nothing but a `PATH` in its
    /// environment.
    #[must_use]
    pub fn command(&self, user: Option<&str>, words: &[&str]) -> Run {
        let mut run = privileged("chroot");
        if let Some(user) = user {
            run = run.arg(format!("--userspec={user}"));
        }
        run.arg(self.path())
            .args(["/usr/bin/env", "-i", "LC_ALL=C.UTF-8"])
            .arg(format!("PATH={PATH}"))
            .args(words)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        // What root made in there, root has to remove; the folder itself goes with its handle.
        let (program, words) = as_root("find");
        let _ = Command::new(program)
            .args(words)
            .arg(self.path())
            .args(["-mindepth", "1", "-delete"])
            .status();
    }
}

/// A command with root's rights.
fn privileged(program: &str) -> Run {
    let (program, words) = as_root(program);
    Run::any(program).args(words)
}

/// How a program is run with root's rights: as it is, or by `sudo`, as `tests/prepare` does.
fn as_root(program: &str) -> (&str, Vec<&str>) {
    if rustix::process::geteuid().is_root() {
        (program, Vec::new())
    } else {
        ("sudo", vec!["-n", program])
    }
}

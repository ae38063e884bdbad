//! The log that a redis-server keeps of its writes (AOF), read and cut by record: what a power cut leaves.

use std::path::{Path, PathBuf};

/// Folder of the log within the server's, since Redis 7.
const FOLDER: &str = "appendonlydir";

/// The newest part of a server's log: all that it wrote since it started with an empty folder.
#[derive(Clone, Debug)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    pub(crate) fn find(server: &Path) -> Self {
        let folder = server.join(FOLDER);
        let newest = crate::files::names_in(&folder)
            .into_iter()
            .filter(|name| name.ends_with(".incr.aof"))
            .max_by_key(|name| number_of(name))
            .expect("a server that keeps a log");
        Self {
            path: folder.join(newest),
        }
    }

    /// Writes one into an empty folder of a server.
    pub(crate) fn plant(server: &Path, log: &[u8]) {
        let folder = server.join(FOLDER);
        let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
        std::fs::create_dir(&folder)
            .and_then(|()| std::fs::write(folder.join("appendonly.aof.manifest"), manifest))
            .and_then(|()| std::fs::write(folder.join("appendonly.aof.1.incr.aof"), log))
            .expect("a log of ours");
    }

    /// All of it.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        std::fs::read(&self.path).expect("a readable log")
    }

    /// Cuts it to its first `length` bytes.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn truncate(&self, length: usize) {
        let file = std::fs::File::options().write(true).open(&self.path);
        file.and_then(|file| file.set_len(length as u64))
            .expect("a log of ours");
    }

    /// Replaces it.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, bytes: &[u8]) {
        std::fs::write(&self.path, bytes).expect("a log of ours");
    }
}

/// The part's number: `appendonly.aof.12.incr.aof`.
fn number_of(name: &str) -> u64 {
    let number = name.rsplit('.').nth(2);
    number.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Ends of the records in a log, in bytes from its start, and 0 first: every length at which it may be cut
/// without cutting a record.
///
/// # Panics
/// When it is no log.
#[must_use]
pub fn boundaries(log: &[u8]) -> Vec<usize> {
    let (mut ends, mut at) = (vec![0], 0);
    while at < log.len() {
        // A record is an array of strings: *3 $3 SET $1 a $1 b. Notes of the time begin with #.
        if log[at] == b'#' {
            at = line(log, at).1;
        } else {
            let (words, after) = number(log, at, b'*');
            at = after;
            for _ in 0..words {
                let (length, after) = number(log, at, b'$');
                at = after + length + 2;
            }
        }
        ends.push(at);
    }
    ends
}

/// Those of a log's [`boundaries`] that are no part of a transaction, which a server takes whole or not at all.
///
/// # Panics
/// When it is no log.
#[must_use]
pub fn transactions(log: &[u8]) -> Vec<usize> {
    const BEGINNING: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
    const END: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";
    let mut within = false;
    let mut ends = vec![0];
    for pair in boundaries(log).windows(2) {
        let record = &log[pair[0]..pair[1]];
        within =
            (within || record.eq_ignore_ascii_case(BEGINNING)) && !record.eq_ignore_ascii_case(END);
        if !within {
            ends.push(pair[1]);
        }
    }
    ends
}

/// The line that starts at `at`, and where the next one does.
fn line(log: &[u8], at: usize) -> (&[u8], usize) {
    let length = log[at..].windows(2).position(|pair| pair == b"\r\n");
    let length = length.expect("a line that ends");
    (&log[at..at + length], at + length + 2)
}

fn number(log: &[u8], at: usize, mark: u8) -> (usize, usize) {
    let (line, after) = line(log, at);
    assert_eq!(line[0], mark, "a log of Redis at {at}");
    let text = std::str::from_utf8(&line[1..]).expect("a number");
    (text.parse().expect("a number"), after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::server::{Persistence, Server};

    #[test]
    fn a_server_comes_back_with_what_its_log_held() {
        let mut server = Server::start_keeping(Persistence::Always, &[]);
        for value in ["1", "2", "3\r\n*9"] {
            server.ask::<()>(&["SET", "key", value]);
        }
        server.kill();
        let bytes = server.log().bytes();
        let ends = boundaries(&bytes);
        assert_eq!(*ends.last().unwrap(), bytes.len());
        assert_eq!(transactions(&bytes), ends, "none of more than one record");
        // SELECT 0, and three writes.
        assert_eq!(ends.len(), 1 + 4);
        for (cut, expected) in [(4, "3\r\n*9"), (3, "2"), (2, "1")] {
            server.log().truncate(ends[cut]);
            server.restart();
            assert_eq!(server.ask::<String>(&["GET", "key"]), expected);
            server.kill();
        }
        // In the middle of a record: as if the record had not been.
        server.log().write(&bytes[..ends[3] - 2]);
        server.restart();
        assert_eq!(server.ask::<String>(&["GET", "key"]), "1");
        // Nor is the half of a transaction.
        server.ask::<()>(&[
            "EVAL",
            "redis.call('SET','a',1) redis.call('SET','key',9)",
            "0",
        ]);
        server.kill();
        let bytes = server.log().bytes();
        let (all, whole) = (boundaries(&bytes), transactions(&bytes));
        assert_eq!(all[all.len() - 1], whole[whole.len() - 1]);
        assert_eq!(all[all.len() - 5], whole[whole.len() - 2]);
        server.log().truncate(all[all.len() - 2]);
        server.restart();
        assert_eq!(server.ask::<String>(&["GET", "key"]), "1");
        server.kill();
        server.forget();
        server.restart();
        assert_eq!(server.keys("*"), [""; 0]);
    }
}

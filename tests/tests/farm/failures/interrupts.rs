//! Ctrl-C and SIGTERM at moments at which a program is busy with something else than strips.

use std::fs::File;
use std::time::Duration;

use farm_tests::programs::Run;
use farm_tests::scenes::WAITED;
use farm_tests::{Finished, Server, Worker, folder, names_in, submitter};
use rustix::process::Signal;

/// How long a program may live that is interrupted: far less than what it is busy with takes.
const AT_ONCE: Duration = Duration::from_secs(20);
/// A file of so many bytes takes far longer to be read, and nothing on the disk.
const ENDLESS: u64 = 1 << 42;

/// Waits until a command says that it is busy, and interrupts it: status 130, and what was under way is said.
fn interrupted(command: Run, signal: Signal, says: &str) -> Finished {
    let mut running = command.limit(AT_ONCE).start();
    running.until_it_says(&format!("{says} ..."));
    running.signal(signal);
    let done = running.wait();
    assert_eq!(done.code, Some(130), "{done:?}");
    let last = done.stderr.lines().last().unwrap_or_default();
    assert_eq!(
        last,
        format!("submitter: stopped while {says}: interrupted")
    );
    done
}

#[test]
fn while_a_journal_of_terabytes_is_read() {
    let (server, folder) = (Server::start(), folder());
    let journals = folder.path().join("journals");
    let command = |line: &str| {
        submitter(&format!("{line} --redis {}", server.url()))
            .within(&folder)
            .env("FARM_JOURNAL", &journals.to_string_lossy())
    };
    let render = format!("render {WAITED} -o x.npy");
    let _worker = Worker::pretend(&server, "worker", "--mode wait --secs 0.1");
    let running = command(&render).start();
    let id = server.job();
    let strips = journals.join(id.as_str()).join("strips");
    server.until("a journal is there", || {
        std::fs::metadata(&strips).is_ok_and(|strips| strips.len() > 0)
    });
    running.signal(Signal::KILL);
    let _ = running.wait();
    let file = File::options()
        .write(true)
        .open(&strips)
        .expect("a journal");
    file.set_len(ENDLESS).expect("a file with a hole");
    drop(file);
    interrupted(command(&render), Signal::INT, "reading the journals");
    let resume = format!("resume {id}");
    interrupted(command(&resume), Signal::TERM, "reading the journal");
    // Nothing was begun, and nothing is lost.
    assert_eq!(names_in(folder.path()), ["journals"]);
    assert!(strips.is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn while_a_file_does_not_come() {
    let folder = folder();
    let made = Run::any("mkfifo")
        .arg(folder.path().join("jobs.toml"))
        .run();
    assert_eq!(made.code, Some(0), "{made:?}");
    for signal in [Signal::INT, Signal::TERM] {
        let running = submitter("batch jobs.toml")
            .within(&folder)
            .limit(AT_ONCE)
            .start();
        // It opens what nobody writes to: there is nothing to wait for but its handlers.
        running.until_it_handles(signal);
        running.signal(signal);
        let done = running.wait();
        assert_eq!(done.code, Some(130), "{done:?}");
        assert!(done.stderr.ends_with("interrupted\n"), "{done:?}");
    }
}

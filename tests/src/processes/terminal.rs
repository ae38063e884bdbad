//! A program whose stderr is a terminal: what people see, as opposed to pipes.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::processes::programs::Run;

/// Columns and rows of the terminal.
const SIZE: (u16, u16) = (120, 30);
/// How long a program in a terminal may run.
const LIMIT: Duration = Duration::from_secs(120);

/// What came out of a program in a terminal.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its exit status.
    pub code: Option<i32>,
    /// All it wrote to stdout, which was no terminal.
    pub stdout: String,
    /// All it wrote to the terminal, with its control sequences.
    pub screen: String,
}

/// Runs a program with a terminal as its stderr.
///
/// # Panics
/// When the system gives no terminal, or the program does not end in time.
#[must_use]
pub fn show(run: Run) -> Shown {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&master).expect("a terminal of our own");
    unlockpt(&master).expect("a terminal that opens");
    let (columns, rows) = SIZE;
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&master, size).expect("a terminal with a size");
    let name = ptsname(&master, Vec::new()).expect("a terminal with a name");
    let slave = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().expect("a plain name"))
        .expect("the other end of the terminal");
    let mut command = run.into_command();
    command
        .env("TERM", "xterm")
        .stderr(Stdio::from(slave))
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("a program to start");
    // Our copy of the program's end: with it open the screen would never end.
    drop(command);
    let screen = std::thread::Builder::new()
        .name("read-screen".into())
        .spawn(move || {
            let (mut master, mut screen, mut chunk) = (File::from(master), Vec::new(), [0; 4096]);
            // The end of a terminal is an error (EIO) on Linux and an empty read elsewhere.
            while let Ok(length @ 1..) = master.read(&mut chunk) {
                screen.extend(&chunk[..length]);
            }
            screen
        })
        .expect("a thread");
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child to wait for") {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            panic!("a program in a terminal did not end within {LIMIT:?} and was killed");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut stdout)
        .expect("text");
    Shown {
        code: status.code(),
        stdout,
        screen: String::from_utf8_lossy(&screen.join().expect("a reader")).into_owned(),
    }
}

//! The shell scripts that start, look at and stop processes on a target's machine; POSIX sh, nothing else.
//!
//! A process is known by three files in a folder of its own world: `NAME.pid` (its pid, and when it was born, so that
//! a pid that another process got later is never signalled), `NAME.out` (what it wrote) and `NAME.log` (its log).
//! `NAME.pid` is there before the process becomes the program that it is to be: nothing runs that is not written down.

use std::fmt::Write;
use std::time::Duration;

/// How long a process may take to end after SIGTERM, until SIGKILL.
pub const GRACE: Duration = Duration::from_secs(10);
/// Variables that a process does not inherit from whoever boots it.
const NOT_INHERITED: &str = "FARM_REDIS FARM_REDIS_USER FARM_REDIS_PASSWORD FARM_REDIS_PASSWORD_FILE FARM_TLS_CA FARM_TLS_CERT FARM_TLS_KEY FARM_KEY FARM_KEY_FILE FARM_INSECURE FARM_METRICS FARM_LOG FARM_LOG_FILE";
/// Most bytes of a process's output that are shown.
const TAIL_BYTES: u32 = 2000;

/// What every script begins with. `look PID` sets `born` to when the process was born, and to nothing when it is gone
/// or waits to be reaped; `named NAME` sets `pid` and `since` to what is written down of it; `is_alive` is whether that
/// runs; `tell SIGNAL` sends it to the group that the process leads, or to the process where it leads none.
const PRELUDE: &str = r#"set -u
LC_ALL=C; export LC_ALL
umask 077
PATH="${PATH:-/usr/bin:/bin}:${HOME:-}/.cargo/bin:/usr/local/bin"; export PATH
look() {
  born=
  if [ -r /proc/self/stat ]; then
    stat=; { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    set -- ${stat##*") "}
    [ "${1:-Z}" = Z ] || born=${20:-}
  else
    born=$(ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' _)
  fi
}
named() {
  pid=; since=
  { read -r pid since <"$folder/$1.pid"; } 2>/dev/null || :
  case $pid in ''|*[!0-9]*) pid=; return 1;; esac
}
is_alive() { look "$pid"; [ -n "$born" ] && [ "$born" = "$since" ]; }
tell() { kill -s "$1" -- "-$pid" 2>/dev/null || kill -s "$1" "$pid" 2>/dev/null || :; }
nap() { sleep 0.05 2>/dev/null || sleep 1; }
"#;

/// Where the files of a world's processes are on a machine, as a word of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// A folder by its path.
    #[must_use]
    pub fn at(path: &str) -> Self {
        Self(quoted(path))
    }

    /// The folder `key` among the worlds in the state folder of whoever is logged in.
    #[must_use]
    pub fn of_user(key: &str) -> Self {
        let key = quoted(key);
        Self(format!(
            "\"${{XDG_STATE_HOME:-$HOME/.local/state}}\"/mandelfarm/worlds/{key}"
        ))
    }

    fn line(&self) -> String {
        format!("folder={}\n", self.0)
    }
}

/// A text as one word of the shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A process to start.
#[derive(Clone, Debug)]
pub struct Process<'a> {
    /// Its name among the world's.
    pub name: &'a str,
    /// Its program.
    pub program: &'a str,
    /// Its arguments.
    pub arguments: &'a [String],
    /// Variables of its environment.
    pub environment: &'a [(String, String)],
    /// The folder that it runs in; the user's own when `None`.
    pub within: Option<&'a str>,
}

/// Starts a process that outlives whoever starts it. Answers with `started PID BORN`, `running PID BORN` where it does
/// already, or `missing` where there is no such program.
#[must_use]
pub fn start(folder: &Folder, process: &Process<'_>) -> String {
    let name = quoted(process.name);
    let mut script = PRELUDE.to_owned() + &folder.line();
    let _ = write!(
        script,
        "mkdir -p \"$folder\" || exit 1\n\
         if named {name} && is_alive; then echo \"running $pid $since\"; exit 0; fi\n\
         program={}\n\
         case $program in\n\
         */*) [ -x \"$program\" ] && [ ! -d \"$program\" ] || {{ echo missing; exit 0; }};;\n\
         *) command -v \"$program\" >/dev/null 2>&1 || {{ echo missing; exit 0; }};;\n\
         esac\n\
         base=\"$folder\"/{name}\n\
         rm -f \"$base.pid\" \"$base.log\" \"$base.log.1\"\n\
         unset {NOT_INHERITED}\n\
         FARM_LOG_FILE=\"$base.log\"; export FARM_LOG_FILE\n",
        quoted(process.program)
    );
    for (variable, value) in process.environment {
        let _ = writeln!(script, "{variable}={}; export {variable}", quoted(value));
    }
    // In a session of its own where that can be had: no terminal reaches it, and signals reach all of it.
    script.push_str("apart=nohup; command -v setsid >/dev/null 2>&1 && apart=setsid\n");
    let inner =
        r#"look $$; printf '%s %s\n' $$ "$born" >"$0.new" && mv "$0.new" "$0.pid" && exec "$@""#;
    let functions = &PRELUDE[PRELUDE.find("look()").unwrap_or(0)..];
    let cd = process
        .within
        .map_or(String::new(), |folder| format!("cd {} && ", quoted(folder)));
    let _ = write!(
        script,
        "{cd}\"$apart\" sh -c {} \"$base\" \"$program\"",
        quoted(&format!("{functions}{inner}"))
    );
    for argument in process.arguments {
        let _ = write!(script, " {}", quoted(argument));
    }
    script.push_str(
        " </dev/null >\"$base.out\" 2>&1 &\n\
         tries=0\n\
         until named \"${base##*/}\"; do\n\
         tries=$((tries + 1)); [ $tries -gt 200 ] && { echo 'the process did not start' >&2; exit 1; }\n\
         nap\n\
         done\n\
         echo \"started $pid $since\"\n",
    );
    script
}

/// Looks at processes: a line `NAME PID BORN` for each that runs.
#[must_use]
pub fn look<'a>(folder: &Folder, names: impl Iterator<Item = &'a str>) -> String {
    let mut script = PRELUDE.to_owned() + &folder.line();
    let _ = writeln!(
        script,
        "for name in {}; do\nif named \"$name\" && is_alive; then echo \"$name $pid $since\"; fi\ndone",
        words(names)
    );
    script
}

/// Stops processes: SIGTERM, and SIGKILL after [`GRACE`]. A line for each that there was: `NAME ended`, `NAME killed`, or
/// `NAME stays` for one that not even that has ended. `patience` is how often to look for one that is not written down
/// yet, because who started it was killed while doing so.
#[must_use]
pub fn stop<'a>(folder: &Folder, names: impl Iterator<Item = &'a str>, patience: u32) -> String {
    let mut script = PRELUDE.to_owned() + &folder.line();
    let _ = write!(
        script,
        "left={}\n\
         wait_for() {{\n\
         tries=0\n\
         while [ -n \"$left\" ] && [ $tries -lt \"$1\" ]; do\n\
         now=$left; left=\n\
         for name in $now; do\n\
         if named \"$name\" && is_alive; then left=\"$left $name\"; else rm -f \"$folder/$name.pid\"; echo \"$name $2\"; fi\n\
         done\n\
         [ -z \"$left\" ] || nap\n\
         tries=$((tries + 1))\n\
         done\n\
         }}\n\
         there=\n\
         for name in $left; do\n\
         tries=0; while [ $tries -lt {patience} ] && ! named \"$name\"; do nap; tries=$((tries + 1)); done\n\
         if named \"$name\" && is_alive; then tell TERM; there=\"$there $name\"; else rm -f \"$folder/$name.pid\"; fi\n\
         done\n\
         left=$there\n\
         wait_for {} ended\n\
         for name in $left; do named \"$name\" && is_alive && tell KILL; done\n\
         wait_for 60 killed\n\
         for name in $left; do echo \"$name stays\"; done\n",
        quoted(&words(names)),
        GRACE.as_millis() / 50
    );
    script
}

/// Removes what is left of processes that ended, and the folder when nothing else is in it.
#[must_use]
pub fn sweep<'a>(folder: &Folder, names: impl Iterator<Item = &'a str>) -> String {
    let mut script = PRELUDE.to_owned() + &folder.line();
    let _ = writeln!(
        script,
        "for name in {}; do\nrm -f \"$folder/$name.pid\" \"$folder/$name.new\" \"$folder/$name.out\" \"$folder/$name.log\" \"$folder/$name.log.1\"\ndone\n\
         rmdir \"$folder\" 2>/dev/null || :",
        words(names)
    );
    script
}

/// The end of what a process wrote and logged.
#[must_use]
pub fn tail(folder: &Folder, name: &str) -> String {
    let name = quoted(name);
    format!(
        "{PRELUDE}{}for end in log out; do tail -c {TAIL_BYTES} \"$folder\"/{name}.$end 2>/dev/null; done; :\n",
        folder.line()
    )
}

fn words<'a>(names: impl Iterator<Item = &'a str>) -> String {
    // Names of targets have no character that the shell minds; see `names::is_name`.
    names.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::host::Host;
    use proptest::prelude::*;

    const LIMIT: Duration = Duration::from_secs(60);

    async fn here(script: &str) -> String {
        Host::Local.run(script, LIMIT).await.unwrap()
    }

    fn process<'a>(program: &'a str, arguments: &'a [String]) -> Process<'a> {
        Process {
            name: "x",
            program,
            arguments,
            environment: &[],
            within: Some("/"),
        }
    }

    #[tokio::test]
    async fn a_process_starts_once_is_seen_and_stops() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(&place.path().join("it's here").to_string_lossy());
        let arguments = ["300".to_owned()];
        let sleep = process("sleep", &arguments);
        let started = here(&start(&folder, &sleep)).await;
        let identity = started.strip_prefix("started ").unwrap();
        let again = here(&start(&folder, &sleep)).await;
        assert_eq!(again.strip_prefix("running "), Some(identity));
        let seen = here(&look(&folder, ["y", "x"].into_iter())).await;
        assert_eq!(seen, format!("x {identity}"));
        assert_eq!(
            here(&stop(&folder, ["x", "y"].into_iter(), 0)).await,
            "x ended\n"
        );
        assert_eq!(here(&look(&folder, ["x"].into_iter())).await, "");
        assert_eq!(here(&stop(&folder, ["x"].into_iter(), 0)).await, "");
        here(&sweep(&folder, ["x"].into_iter())).await;
        assert!(std::fs::read_dir(place.path()).unwrap().next().is_none());
    }

    #[tokio::test]
    async fn one_that_ignores_sigterm_is_killed() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(&place.path().to_string_lossy());
        let arguments = [
            "-c".to_owned(),
            "trap '' TERM; while :; do sleep 1; done".to_owned(),
        ];
        here(&start(&folder, &process("sh", &arguments))).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let quick = stop(&folder, ["x"].into_iter(), 0);
        let quick = quick.replace(
            &format!("wait_for {}", GRACE.as_millis() / 50),
            "wait_for 5",
        );
        assert_eq!(here(&quick).await, "x killed\n");
    }

    #[tokio::test]
    async fn a_pid_that_another_process_has_by_now_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(&place.path().to_string_lossy());
        let mut stranger = tokio::process::Command::new("sleep")
            .arg("300")
            .spawn()
            .unwrap();
        let pid = stranger.id().unwrap();
        std::fs::write(place.path().join("x.pid"), format!("{pid} 12345\n")).unwrap();
        assert_eq!(here(&look(&folder, ["x"].into_iter())).await, "");
        assert_eq!(here(&stop(&folder, ["x"].into_iter(), 0)).await, "");
        assert!(stranger.try_wait().unwrap().is_none(), "it lives");
        stranger.kill().await.unwrap();
    }

    #[tokio::test]
    async fn missing_programs_and_last_words_are_told() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(&place.path().to_string_lossy());
        for program in ["no-such-program", "/no/such/program", "/etc"] {
            assert_eq!(
                here(&start(&folder, &process(program, &[]))).await,
                "missing\n"
            );
        }
        let arguments = [
            "-c".to_owned(),
            "echo \"$FARM_X $*\"; exit 1".to_owned(),
            "it's".to_owned(),
            "a b".to_owned(),
        ];
        let environment = [("FARM_X".to_owned(), "$HOME 'q'".to_owned())];
        let process = Process {
            environment: &environment,
            ..process("sh", &arguments)
        };
        here(&start(&folder, &process)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(here(&tail(&folder, "x")).await, "$HOME 'q' a b\n");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_quoted_text_is_one_word(text in "[^\0]{0,40}") {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let script = format!("printf %s {}", quoted(&text));
            let said = runtime.block_on(Host::Local.run(&script, LIMIT)).unwrap();
            prop_assert_eq!(said, text);
        }
    }
}

//! Addresses with a password are taken off the command line.

/// Takes an address that may hold a password off the command line, which every user of the machine can read.
///
/// On Unix the program starts itself anew at once, with the address in the environment: same process, same
/// everything else. Elsewhere, or if that fails, it answers with a warning for the user.
#[must_use]
pub fn conceal(url: Option<&str>) -> Option<&'static str> {
    // Credentials stand before an @ or, for sockets, behind a question mark.
    let url = url.filter(|url| url.contains(['@', '?']))?;
    // Whatever was not typed is not found, so what was started anew does not start itself anew.
    let _rest = without_address(std::env::args_os(), url)?;
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        if let Ok(program) = std::env::current_exe() {
            let mut args = _rest.into_iter();
            let mut command = std::process::Command::new(program);
            if let Some(name) = args.next() {
                command.arg0(name);
            }
            // Comes back only when it failed.
            let _ = command.args(args).env("FARM_REDIS", url).exec();
        }
    }
    Some(
        "every user of this machine can read the password on the command line: set FARM_REDIS to the URL, or use --redis-password-file",
    )
}

/// A command line without its `--redis URL`; `None` where it has none.
fn without_address(
    args: impl Iterator<Item = std::ffi::OsString>,
    url: &str,
) -> Option<Vec<std::ffi::OsString>> {
    let joined = format!("--redis={url}");
    let mut args = args.peekable();
    let (mut rest, mut found) = (Vec::new(), false);
    while let Some(arg) = args.next() {
        if arg == "--redis" && args.peek().is_some_and(|next| next == url) {
            args.next();
            found = true;
        } else if arg == *joined {
            found = true;
        } else {
            rest.push(arg);
        }
    }
    found.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    const URL: &str = "redis://u:secret@h";

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn an_address_is_taken_off_the_command_line() {
        for (line, rest) in [
            ("x --redis redis://u:secret@h --name n", Some("x --name n")),
            ("x --redis=redis://u:secret@h", Some("x")),
            (
                "x render -q --redis redis://u:secret@h -o a",
                Some("x render -q -o a"),
            ),
            ("x --redis redis://h", None),
            ("x", None),
            ("x --redis", None),
        ] {
            let args = words(line).into_iter();
            assert_eq!(without_address(args, URL), rest.map(words), "{line}");
        }
    }
}

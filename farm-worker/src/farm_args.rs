//! How both programs are told to get into the farm's Redis, and what they do to keep that to themselves.
//!
//! The environment is read by each program's `cli`, and handed in as [`Environment`].

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use farm_queue::protocol::signing::{FarmKey, FarmKeyError};
use farm_queue::redis::{ConnectOptions, Identity, Secret};

use crate::limited::{ReadError, read_limited};

/// Most bytes of a file that is named here: bundles of authorities are the longest.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// Options beside the address of the farm's Redis.
#[derive(Clone, Debug, Default, Args)]
pub struct FarmArgs {
    /// User of the farm's Redis [env: FARM_REDIS_USER; default: the one in the URL]
    #[arg(
        long,
        value_name = "NAME",
        requires = "redis",
        help_heading = "Farm access"
    )]
    pub redis_user: Option<String>,
    /// File whose first line is the user's password [env: FARM_REDIS_PASSWORD_FILE, or FARM_REDIS_PASSWORD, the password itself; default: the one in the URL]
    #[arg(
        long,
        value_name = "FILE",
        requires = "redis",
        help_heading = "Farm access"
    )]
    pub redis_password_file: Option<PathBuf>,
    /// Authorities to trust with rediss://, in PEM [env: FARM_TLS_CA; default: the system's]
    #[arg(
        long,
        value_name = "FILE",
        requires = "redis",
        help_heading = "Farm access"
    )]
    pub tls_ca: Option<PathBuf>,
    /// This client's certificate for a Redis that asks for one, in PEM [env: FARM_TLS_CERT]
    #[arg(long, value_name = "FILE", requires_all = ["redis", "tls_key"], help_heading = "Farm access")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of that certificate, in PEM [env: FARM_TLS_KEY]
    #[arg(long, value_name = "FILE", requires_all = ["redis", "tls_cert"], help_heading = "Farm access")]
    pub tls_key: Option<PathBuf>,
    /// File with the farm's key, 16 to 1024 bytes, or for a worker its own (`submitter worker-key`): jobs and results are signed with it, and no others are taken [env: FARM_KEY_FILE, or FARM_KEY, the key itself]
    #[arg(
        long,
        value_name = "FILE",
        requires = "redis",
        help_heading = "Farm access"
    )]
    pub farm_key_file: Option<PathBuf>,
    /// Allow plain text (redis://) to other machines [env: FARM_INSECURE=1]
    #[arg(long, requires = "redis", help_heading = "Farm access")]
    pub insecure: bool,
}

/// What the environment says of the same; empty texts count as not set.
#[derive(Clone, Default)]
pub struct Environment {
    /// `FARM_REDIS_USER`
    pub user: Option<String>,
    /// `FARM_REDIS_PASSWORD_FILE`
    pub password_file: Option<String>,
    /// `FARM_REDIS_PASSWORD`
    pub password: Option<String>,
    /// `FARM_TLS_CA`
    pub tls_ca: Option<String>,
    /// `FARM_TLS_CERT`
    pub tls_cert: Option<String>,
    /// `FARM_TLS_KEY`
    pub tls_key: Option<String>,
    /// `FARM_KEY_FILE`
    pub key_file: Option<String>,
    /// `FARM_KEY`
    pub key: Option<String>,
    /// `FARM_INSECURE`
    pub insecure: Option<String>,
}

impl Environment {
    /// What `variable` tells of each.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|text| !text.is_empty());
        Self {
            user: set("FARM_REDIS_USER"),
            password_file: set("FARM_REDIS_PASSWORD_FILE"),
            password: set("FARM_REDIS_PASSWORD"),
            tls_ca: set("FARM_TLS_CA"),
            tls_cert: set("FARM_TLS_CERT"),
            tls_key: set("FARM_TLS_KEY"),
            key_file: set("FARM_KEY_FILE"),
            key: set("FARM_KEY"),
            insecure: set("FARM_INSECURE"),
        }
    }
}

/// Why the way into the farm is none.
#[derive(Debug, thiserror::Error)]
pub enum FarmArgsError {
    /// A file cannot be read.
    #[error("{option} {}: {error}", path.display())]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file says nothing.
    #[error("{option} {}: {reason}", path.display())]
    Content {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key that is none.
    #[error("{option}{}: {error}", path.as_ref().map_or_else(String::new, |path| format!(" {}", path.display())))]
    Key {
        /// The option or the variable that gives it, or names its file.
        option: &'static str,
        /// The file, where it is in one.
        path: Option<PathBuf>,
        /// What is wrong with it.
        error: FarmKeyError,
    },
    /// A certificate without its key, or the other way round.
    #[error(
        "a client's certificate needs its key, and the other way round: --tls-cert and --tls-key, or FARM_TLS_CERT and FARM_TLS_KEY"
    )]
    Half,
    /// Neither yes nor no.
    #[error("FARM_INSECURE is neither 1 nor 0")]
    Insecure,
}

impl FarmArgsError {
    /// The option or the variable that it begins with: what named the file or gave the key that is wrong.
    #[must_use]
    pub fn option(&self) -> Option<&'static str> {
        match self {
            Self::File { option, .. } | Self::Content { option, .. } | Self::Key { option, .. } => {
                Some(option)
            }
            Self::Half | Self::Insecure => None,
        }
    }
}

impl FarmArgs {
    /// The way into the farm at `url`. What is given by options counts more than what the address holds, and that
    /// more than the environment.
    ///
    /// # Errors
    /// Files that cannot be read, a key that is too short, or a `FARM_INSECURE` that is neither yes nor no.
    pub fn options(
        &self,
        url: String,
        environment: Environment,
    ) -> Result<ConnectOptions, FarmArgsError> {
        let (has_user, has_password) = ConnectOptions::credentials_in(&url);
        let is_tls = ConnectOptions::has_tls(&url);
        let mut options = ConnectOptions::new(url);
        options.user = (self.redis_user.clone()).or_else(|| environment.user.filter(|_| !has_user));
        let file = given(
            ("--redis-password-file", &self.redis_password_file),
            ("FARM_REDIS_PASSWORD_FILE", environment.password_file),
        );
        options.password = match file {
            Some((option, path)) if self.redis_password_file.is_some() || !has_password => {
                Some(password_in(option, &path)?)
            }
            _ => (environment.password.filter(|_| !has_password)).map(Secret::new),
        };
        // Certificates of the environment are for the farms that have TLS; typed, they have to be of use.
        let of_tls = |path: Option<String>| path.filter(|_| is_tls);
        let authorities = given(
            ("--tls-ca", &self.tls_ca),
            ("FARM_TLS_CA", of_tls(environment.tls_ca)),
        );
        options.authorities = match authorities {
            Some((option, path)) => Some(read(option, &path)?),
            None => None,
        };
        let certificate = given(
            ("--tls-cert", &self.tls_cert),
            ("FARM_TLS_CERT", of_tls(environment.tls_cert)),
        );
        let private = given(
            ("--tls-key", &self.tls_key),
            ("FARM_TLS_KEY", of_tls(environment.tls_key)),
        );
        options.identity = match (certificate, private) {
            (Some((certificate_option, certificate)), Some((key_option, key))) => Some(Identity {
                certificate: read(certificate_option, &certificate)?,
                key: text(key_option, &key)?,
            }),
            (None, None) => None,
            _ => return Err(FarmArgsError::Half),
        };
        options.insecure = self.insecure
            || match environment.insecure.as_deref() {
                None | Some("0" | "false" | "no") => false,
                Some("1" | "true" | "yes") => true,
                Some(_) => return Err(FarmArgsError::Insecure),
            };
        let key_file = given(
            ("--farm-key-file", &self.farm_key_file),
            ("FARM_KEY_FILE", environment.key_file),
        );
        options.farm_key = match (key_file, environment.key) {
            (Some((option, path)), _) => Some(key_in(option, &path)?),
            (None, Some(text)) => Some(key(text.as_bytes(), "FARM_KEY", None)?),
            (None, None) => None,
        };
        Ok(options)
    }
}

/// The file that was named, and by what: an option rather than a variable.
fn given(
    (option, typed): (&'static str, &Option<PathBuf>),
    (variable, set): (&'static str, Option<String>),
) -> Option<(&'static str, PathBuf)> {
    let typed = typed.clone().map(|path| (option, path));
    typed.or_else(|| set.map(|path| (variable, path.into())))
}

/// The key in these bytes, without the line end that editors and shells put behind it.
fn key(bytes: &[u8], option: &'static str, path: Option<&Path>) -> Result<FarmKey, FarmArgsError> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    FarmKey::new(bytes).map_err(|error| FarmArgsError::Key {
        option,
        path: path.map(Path::to_owned),
        error,
    })
}

/// The key in the file that `option` names: the farm's, or one worker's.
///
/// # Errors
/// When the file cannot be read, or is no key.
pub fn key_in(option: &'static str, path: &Path) -> Result<FarmKey, FarmArgsError> {
    let bytes = read(option, path)?;
    warn_of_readers(option, path);
    key(&bytes, option, Some(path))
}

/// The password in the file that `option` names: its first line.
///
/// # Errors
/// When the file cannot be read, is no text, or its first line is empty.
pub fn password_in(option: &'static str, path: &Path) -> Result<Secret, FarmArgsError> {
    let text = text(option, path)?;
    let line = text.expose().lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(FarmArgsError::Content {
            option,
            path: path.to_owned(),
            reason: "its first line is empty",
        });
    }
    Ok(Secret::new(line))
}

/// A file with a secret text.
fn text(option: &'static str, path: &Path) -> Result<Secret, FarmArgsError> {
    let bytes = read(option, path)?;
    warn_of_readers(option, path);
    let text = String::from_utf8(bytes).map_err(|_| FarmArgsError::Content {
        option,
        path: path.to_owned(),
        reason: "it is no text",
    })?;
    Ok(Secret::new(text))
}

fn read(option: &'static str, path: &Path) -> Result<Vec<u8>, FarmArgsError> {
    read_limited(path, MAX_FILE_BYTES).map_err(|error| match error {
        ReadError::TooLong(_) => FarmArgsError::Content {
            option,
            path: path.to_owned(),
            reason: "it is longer than 4 MiB",
        },
        error => FarmArgsError::File {
            option,
            path: path.to_owned(),
            error: error.into(),
        },
    })
}

/// Says so when every user of the machine may read a secret. Not refused: where secrets are mounted from outside
/// that is how they come.
fn warn_of_readers(option: &str, path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let others = |metadata: std::fs::Metadata| metadata.permissions().mode() & 0o004 != 0;
        if std::fs::metadata(path).is_ok_and(others) {
            tracing::warn!(
                "{option} {}: every user of this machine may read it (chmod 600 is right)",
                path.display()
            );
        }
    }
    #[cfg(not(unix))]
    let _ = (option, path);
}

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

    #[test]
    fn options_count_more_than_the_address_and_that_more_than_the_environment() {
        let environment = || Environment {
            user: Some("env-user".to_owned()),
            password: Some("env-password".to_owned()),
            ..Environment::default()
        };
        let args = FarmArgs::default();
        let options = args.options(URL.to_owned(), environment()).unwrap();
        assert_eq!((options.user, options.password), (None, None));
        let options = args.options("redis://h".to_owned(), environment()).unwrap();
        assert_eq!(options.user.as_deref(), Some("env-user"));
        assert_eq!(options.password, Some(Secret::new("env-password")));
        let args = FarmArgs {
            redis_user: Some("typed".to_owned()),
            ..FarmArgs::default()
        };
        let options = args.options(URL.to_owned(), environment()).unwrap();
        assert_eq!(options.user.as_deref(), Some("typed"));
        let nothing = Environment::of(|_| Some(String::new()));
        let options = FarmArgs::default()
            .options("redis://h".to_owned(), nothing)
            .unwrap();
        assert_eq!((options.user, options.password), (None, None));
        assert!(options.farm_key.is_none() && !options.insecure);
    }

    #[test]
    fn files_may_be_named_by_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_string_lossy().into_owned()
        };
        let (pem, password) = (file("pem", "some PEM"), file("password", "filed\n"));
        let key = file("key", "0123456789abcdef\n");
        let environment = || {
            Environment::of(|name| match name {
                "FARM_REDIS_PASSWORD" => Some("plain".to_owned()),
                "FARM_REDIS_PASSWORD_FILE" => Some(password.clone()),
                "FARM_KEY_FILE" => Some(key.clone()),
                "FARM_REDIS_USER" | "FARM_KEY" | "FARM_INSECURE" => None,
                _ => Some(pem.clone()),
            })
        };
        let args = FarmArgs::default();
        let given = |url: &str| args.options(url.to_owned(), environment()).unwrap();
        let options = given("rediss://h");
        assert_eq!(options.password, Some(Secret::new("filed")));
        assert_eq!(options.authorities.as_deref(), Some(&b"some PEM"[..]));
        assert!(options.identity.is_some() && options.farm_key.is_some());
        // An address that holds its password needs none, and one without TLS no certificates.
        let options = given("redis://u:typed@h");
        assert_eq!(options.password, None);
        assert!(options.authorities.is_none() && options.identity.is_none());
        // So with Sentinels, whose own password is another matter.
        let options = given("rediss+sentinel://h,i/farm?sentinel_pass=x");
        assert_eq!(options.password, Some(Secret::new("filed")));
        assert!(options.authorities.is_some());
        let options = given("redis+sentinel://u:typed@h/farm");
        assert!(options.password.is_none() && options.authorities.is_none());
        // What is typed counts more.
        let typed = FarmArgs {
            redis_password_file: Some(file("other", "typed\n").into()),
            ..FarmArgs::default()
        };
        let options = typed.options("rediss://u:x@h".to_owned(), environment());
        assert_eq!(options.unwrap().password, Some(Secret::new("typed")));
        // A file that is not there is named by its variable.
        let missing = Environment::of(|name| (name == "FARM_KEY_FILE").then(|| "/none".to_owned()));
        let error = args.options("redis://h".to_owned(), missing).unwrap_err();
        assert!(
            error.to_string().starts_with("FARM_KEY_FILE /none: "),
            "{error}"
        );
        let half = Environment::of(|name| (name == "FARM_TLS_CERT").then(|| pem.clone()));
        let error = args.options("rediss://h".to_owned(), half).unwrap_err();
        assert!(matches!(error, FarmArgsError::Half), "{error}");
    }

    #[test]
    fn short_keys_and_odd_answers_are_refused() {
        let with = |key: Option<&str>, insecure: Option<&str>| {
            let environment = Environment {
                key: key.map(str::to_owned),
                insecure: insecure.map(str::to_owned),
                ..Environment::default()
            };
            FarmArgs::default().options("redis://h".to_owned(), environment)
        };
        let error = with(Some("secret"), None).unwrap_err().to_string();
        assert!(error.starts_with("FARM_KEY: ") && !error.contains("secret"));
        assert!(
            with(Some("0123456789abcdef"), None)
                .unwrap()
                .farm_key
                .is_some()
        );
        assert!(with(None, Some("1")).unwrap().insecure);
        assert!(!with(None, Some("no")).unwrap().insecure);
        assert!(with(None, Some("perhaps")).is_err());
        // The line end of a file is none of its key.
        assert!(key(b"0123456789abcde\r\n", "file", None).is_err());
    }
}

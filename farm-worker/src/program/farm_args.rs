//! How both programs are told to get into the farm's Redis.
//!
//! The environment is read by each program's `cli`, and handed in as [`Environment`].

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use farm_queue::redis::{ConnectOptions, Secret};

use super::credential_files::{CredentialFiles, NamedFile};
use super::secrets::key;

pub use super::conceal::conceal;
pub use super::secrets::{FarmArgsError, MAX_FILE_BYTES, key_in, password_in};

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
        let from_file = self.redis_password_file.is_some() || !has_password;
        let password = file.filter(|_| from_file);
        // Certificates of the environment are for the farms that have TLS; typed, they have to be of use.
        let of_tls = |path: Option<String>| path.filter(|_| is_tls);
        let certificate = given(
            ("--tls-cert", &self.tls_cert),
            ("FARM_TLS_CERT", of_tls(environment.tls_cert)),
        );
        let private = given(
            ("--tls-key", &self.tls_key),
            ("FARM_TLS_KEY", of_tls(environment.tls_key)),
        );
        let files = CredentialFiles {
            password,
            fixed_password: (environment.password.filter(|_| !has_password)).map(Secret::new),
            authorities: given(
                ("--tls-ca", &self.tls_ca),
                ("FARM_TLS_CA", of_tls(environment.tls_ca)),
            ),
            identity: match (certificate, private) {
                (Some(certificate), Some(key)) => Some((certificate, key)),
                (None, None) => None,
                _ => return Err(FarmArgsError::Half),
            },
        };
        let may_be_renewed = files.may_be_renewed();
        options.credentials = files.credentials()?;
        files.warn_of_readers();
        if may_be_renewed {
            options.renewed_by = Some(Arc::new(files));
        }
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
            (Some(file), _) => Some(key_in(file.option, &file.path)?),
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
) -> Option<NamedFile> {
    let typed = (typed.as_ref()).map(|path| NamedFile::new(option, path));
    typed.or_else(|| set.map(|path| NamedFile::new(variable, path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "redis://u:secret@h";

    #[test]
    fn options_count_more_than_the_address_and_that_more_than_the_environment() {
        let environment = || Environment {
            user: Some("env-user".to_owned()),
            password: Some("env-password".to_owned()),
            ..Environment::default()
        };
        let args = FarmArgs::default();
        let options = args.options(URL.to_owned(), environment()).unwrap();
        assert_eq!((options.user, options.credentials.password), (None, None));
        let options = args.options("redis://h".to_owned(), environment()).unwrap();
        assert_eq!(options.user.as_deref(), Some("env-user"));
        assert_eq!(
            options.credentials.password,
            Some(Secret::new("env-password"))
        );
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
        assert_eq!((options.user, options.credentials.password), (None, None));
        assert!(options.farm_key.is_none() && !options.insecure && options.renewed_by.is_none());
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
        assert_eq!(options.credentials.password, Some(Secret::new("filed")));
        assert_eq!(
            options.credentials.authorities.as_deref(),
            Some(&b"some PEM"[..])
        );
        assert!(options.credentials.identity.is_some() && options.farm_key.is_some());
        assert!(options.renewed_by.is_some());
        // An address that holds its password needs none, and one without TLS no certificates.
        let options = given("redis://u:typed@h");
        assert_eq!(options.credentials.password, None);
        assert!(
            options.credentials.authorities.is_none() && options.credentials.identity.is_none()
        );
        // So with Sentinels, whose own password is another matter.
        let options = given("rediss+sentinel://h,i/farm?sentinel_pass=x");
        assert_eq!(options.credentials.password, Some(Secret::new("filed")));
        assert!(options.credentials.authorities.is_some());
        let options = given("redis+sentinel://u:typed@h/farm");
        assert!(
            options.credentials.password.is_none() && options.credentials.authorities.is_none()
        );
        // What is typed counts more.
        let typed = FarmArgs {
            redis_password_file: Some(file("other", "typed\n").into()),
            ..FarmArgs::default()
        };
        let options = typed.options("rediss://u:x@h".to_owned(), environment());
        assert_eq!(
            options.unwrap().credentials.password,
            Some(Secret::new("typed"))
        );
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

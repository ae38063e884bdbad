//! Files with credentials, which may be renewed while a program runs.

use std::path::{Path, PathBuf};

use farm_queue::redis::{CredentialSource, Credentials, Identity, Secret};

use super::secrets::{FarmArgsError, password_in, read, text, warn_of_readers};

/// A file, and the option or the variable that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedFile {
    pub(super) option: &'static str,
    pub(super) path: PathBuf,
}

/// The files that credentials come from.
#[derive(Clone, Debug, Default)]
pub(super) struct CredentialFiles {
    pub(super) password: Option<NamedFile>,
    /// What counts where no file has a password.
    pub(super) fixed_password: Option<Secret>,
    pub(super) authorities: Option<NamedFile>,
    /// Certificate and key.
    pub(super) identity: Option<(NamedFile, NamedFile)>,
}

impl CredentialFiles {
    fn all(&self) -> impl Iterator<Item = &NamedFile> {
        let identity = self.identity.iter().flat_map(|(one, other)| [one, other]);
        self.password
            .iter()
            .chain(&self.authorities)
            .chain(identity)
    }

    /// Whether there are files, and all of them can be read again: a pipe has its content once.
    pub(super) fn may_be_renewed(&self) -> bool {
        self.all().next().is_some() && self.all().all(|file| file.path.is_file())
    }

    /// Says which secrets every user of the machine may read.
    pub(super) fn warn_of_readers(&self) {
        let key = self.identity.as_ref().map(|(_, key)| key);
        for file in self.password.iter().chain(key) {
            warn_of_readers(file.option, &file.path);
        }
    }

    /// What they hold.
    ///
    /// # Errors
    /// A file that cannot be read, or holds nothing of its kind.
    pub(super) fn credentials(&self) -> Result<Credentials, FarmArgsError> {
        let bytes = |file: &NamedFile| read(file.option, &file.path);
        let identity = |(certificate, key): &(NamedFile, NamedFile)| {
            Ok::<_, FarmArgsError>(Identity {
                certificate: bytes(certificate)?,
                key: text(key.option, &key.path)?,
            })
        };
        let password = |file: &NamedFile| password_in(file.option, &file.path);
        Ok(Credentials {
            password: match &self.password {
                Some(file) => Some(password(file)?),
                None => self.fixed_password.clone(),
            },
            authorities: self.authorities.as_ref().map(bytes).transpose()?,
            identity: self.identity.as_ref().map(identity).transpose()?,
        })
    }
}

impl CredentialSource for CredentialFiles {
    fn read(&self) -> Result<Credentials, String> {
        self.credentials().map_err(|error| error.to_string())
    }
}

impl NamedFile {
    pub(super) fn new(option: &'static str, path: impl AsRef<Path>) -> Self {
        Self {
            option,
            path: path.as_ref().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_renewed_is_read_anew_and_what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "first\n").unwrap();
        let files = CredentialFiles {
            password: Some(NamedFile::new("--redis-password-file", &path)),
            ..CredentialFiles::default()
        };
        let password = || files.read().map(|read| read.password);
        assert!(files.may_be_renewed());
        assert_eq!(password(), Ok(Some(Secret::new("first"))));
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(password(), Ok(Some(Secret::new("second"))));
        std::fs::remove_file(&path).unwrap();
        assert!(!files.may_be_renewed());
        let error = password().unwrap_err();
        assert!(error.starts_with("--redis-password-file "), "{error}");
        assert!(!CredentialFiles::default().may_be_renewed());
    }

    #[cfg(unix)]
    #[test]
    fn what_has_its_content_once_is_read_once() {
        let device = CredentialFiles {
            password: Some(NamedFile::new("--redis-password-file", "/dev/null")),
            ..CredentialFiles::default()
        };
        assert!(!device.may_be_renewed());
    }
}

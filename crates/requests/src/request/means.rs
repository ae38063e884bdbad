//! By what means something is made: files, addresses, programs, credentials, devices. Never from a network.
//!
//! None of these types can be deserialised, so that no request that came over a network can name a file or a program:
//!
//! ```compile_fail
//! fn from_network<T: serde::de::DeserializeOwned>() {}
//! from_network::<requests::Means>();
//! ```

use std::path::{Path, PathBuf};

use farm_queue::redis::ConnectOptions;
use farm_worker::farm_args::{Environment, FarmArgs, FarmArgsError};
use fractal::{BackendChoice, Measure};
use pictures::{Channel, Compression};
use render::plan::JobTerms;
use serde::Serialize;

/// How a picture is made, and where it goes.
#[derive(Clone, Default)]
pub struct Means {
    /// Files to write, by their extensions.
    pub outputs: Vec<PathBuf>,
    /// Whether the picture is kept in memory as well, and no file is written where none is named.
    pub keeps: bool,
    /// The measures that are kept, these and no others; what colours are made from, and `measure`, when `None`.
    pub kept: Option<Vec<Measure>>,
    /// What `.npy` holds, and `.exr` beside the count and its fraction; the smooth count when `None`.
    pub measure: Option<Measure>,
    /// Channels of `.exr`; as `measure` says where there are none.
    pub channels: Vec<Channel>,
    /// How hard PNGs are compressed.
    pub compression: Compression,
    /// A file with the place, and what else it says.
    pub location: Option<PathBuf>,
    /// A palette that is no name and no list of stops: a file, and perhaps the name of one of several in it.
    pub palette: Option<String>,
    /// Where and by what it is computed.
    pub farm: FarmMeans,
    /// Rows of a strip; about a megabyte's worth when `None`.
    pub strip_rows: Option<u32>,
    /// How many strips of a hundred are computed a second time by another worker, and compared.
    pub audit: u8,
    /// What is kept of an unfinished picture.
    pub journal: JournalMeans,
}

impl Means {
    /// Into memory, in process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            keeps: true,
            ..Self::default()
        }
    }

    /// Into a file, in process; its extension says what it holds.
    #[must_use]
    pub fn to_file(path: &Path) -> Self {
        Self {
            outputs: vec![path.to_owned()],
            ..Self::default()
        }
    }

    /// The same on a farm, by the address of its Redis with the credentials that it takes.
    #[must_use]
    pub fn on_farm(mut self, url: &str) -> Self {
        self.farm.redis = Some(Address::of_user(url.to_owned(), FarmArgs::default()));
        self
    }
}

/// What is kept of an unfinished picture, so that it can go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JournalMeans {
    /// Nothing.
    #[default]
    None,
    /// Its strips, in this folder, or the user's own where none is named; one that was left is taken up.
    Kept(Option<PathBuf>),
    /// The same, and it starts over.
    Fresh(Option<PathBuf>),
}

/// Where and by what something is computed.
#[derive(Clone, Default)]
pub struct FarmMeans {
    /// The farm's Redis; in process when `None`.
    pub redis: Option<Address>,
    /// A network of a world, to compute on instead.
    pub world: Option<world::Choice>,
    /// Whether to compute in process instead; automatic on a world, and never elsewhere, when `None`.
    pub fallback: Option<Fallback>,
    /// Workers that take part: how many to run in process, or at most on a farm.
    pub workers: Option<u16>,
    /// What else a farm is told of its jobs.
    pub terms: JobTerms,
    /// Kinds of device.
    pub backend: BackendChoice,
    /// What this process's environment says of ways into farms.
    pub environment: Environment,
    /// The address that the environment sets: what it says is for that one.
    pub known: Option<String>,
}

/// The address of a farm's Redis, and how to get in.
#[derive(Clone, Debug)]
pub struct Address {
    url: String,
    access: FarmArgs,
    is_users_own: bool,
}

impl Address {
    /// One that the user typed or set: what the environment says of ways into farms belongs to it.
    #[must_use]
    pub fn of_user(url: String, access: FarmArgs) -> Self {
        Self {
            url,
            access,
            is_users_own: true,
        }
    }

    /// One that came from elsewhere, such as a file: it gets no credentials but those that stand beside it.
    #[must_use]
    pub fn from_elsewhere(url: String, access: FarmArgs) -> Self {
        Self {
            url,
            access,
            is_users_own: false,
        }
    }

    /// The way in. Reads the files that it names.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn options(&self, environment: &Environment) -> Result<ConnectOptions, FarmArgsError> {
        let environment = match self.is_users_own {
            true => environment.clone(),
            false => Environment::default(),
        };
        self.access.options(self.url.clone(), environment)
    }
}

impl FarmMeans {
    /// The address `url` that came from elsewhere, such as a file: it is the user's own where they set the same.
    #[must_use]
    pub fn address(&self, url: &str, access: FarmArgs) -> Address {
        if self.known.as_deref() == Some(url) {
            Address::of_user(url.to_owned(), access)
        } else {
            Address::from_elsewhere(url.to_owned(), access)
        }
    }
}

/// Whether to compute in process instead of on a farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// When the job is too small to gain from the farm.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a sequence is made, and where it goes.
#[derive(Clone, Default)]
pub struct SequenceMeans {
    /// A file with the place, whose zoom is where the sequence ends.
    pub location: Option<PathBuf>,
    /// As of a picture.
    pub palette: Option<String>,
    /// The video, numbered pictures like `frames/%06d.png`, or `-` for raw frames; `zoom.mp4` when `None`.
    pub output: Option<PathBuf>,
    /// The program that makes videos; `ffmpeg` when `None`.
    pub ffmpeg: Option<PathBuf>,
    /// Its encoder.
    pub encoder: Option<String>,
    /// Options of the encoder, by their names.
    pub encoder_options: Vec<(String, String)>,
    /// A folder in which key frames are kept.
    pub keep: Option<PathBuf>,
    /// A folder whose key frames are used.
    pub reuse: Option<PathBuf>,
    /// Where and by what key frames are computed.
    pub farm: FarmMeans,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_the_environment_are_for_the_users_own_addresses() {
        let set = |name: &str| (name == "FARM_REDIS_PASSWORD").then(|| "secret".to_owned());
        let environment = Environment::of(set);
        let url = || "redis://127.0.0.1:1".to_owned();
        let own = Address::of_user(url(), FarmArgs::default());
        let own = own.options(&environment).unwrap();
        assert_eq!(own.credentials.password.unwrap().expose(), "secret");
        let foreign = Address::from_elsewhere(url(), FarmArgs::default());
        assert!(
            foreign
                .options(&environment)
                .unwrap()
                .credentials
                .password
                .is_none()
        );
    }
}

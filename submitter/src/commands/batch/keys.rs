//! The keys of a job in a batch file, and what they become: what is drawn as every request says it, and the means as options of
//! the command line. Means can be read from a file of the user's; from nowhere else.

use std::path::PathBuf;

use clap::ValueEnum;
use colour::Palette;
use farm_worker::farm_args::FarmArgs;
use farm_worker::usage::BackendArg;
use render::plan::JobTerms;
use requests::perform::colours::PaintMeans;
use requests::plan::usual;
use requests::request::means::JournalMeans;
use requests::{
    FarmMeans, Means, MinibrotRequest, PaintRequest, PictureRequest, SequenceMeans, SequenceRequest,
};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_with::formats::PreferOne;
use serde_with::{DisplayFromStr, OneOrMany, PickFirst, serde_as};
use world::WorldError;

use crate::cli::place::user_name;
use crate::cli::requests::{choice, environment, known_journal, known_redis, known_state};
use crate::cli::values::{ChannelArg, CompressionArg, FallbackArg, MeasureArg};
use crate::cli::world::{NetworkArgs, StateArgs};
use crate::cli::zoom::encoder_option;

/// A word of those that an option takes.
#[derive(Clone, Copy, Debug)]
pub struct Word<T>(T);

impl<T: ValueEnum> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.0.to_possible_value();
        serializer.serialize_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl<'de, T: ValueEnum> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = || {
            let words = T::value_variants().iter().filter_map(T::to_possible_value);
            let words: Vec<String> = words.map(|word| word.get_name().to_owned()).collect();
            D::Error::custom(format!("'{text}' is none of {}", words.join(", ")))
        };
        T::from_str(&text, true).map(Word).map_err(|_| known())
    }
}

/// Where and by what something is computed.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct FarmKeys {
    redis: Option<String>,
    redis_user: Option<String>,
    redis_password_file: Option<PathBuf>,
    tls_ca: Option<PathBuf>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    farm_key_file: Option<PathBuf>,
    insecure: bool,
    world: Option<String>,
    network: Option<String>,
    state: Option<String>,
    fallback: Option<Word<FallbackArg>>,
    backend: Option<Word<BackendArg>>,
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    workers: Option<u16>,
    on: Option<String>,
    owner: Option<String>,
}

impl FarmKeys {
    fn means(self) -> Result<FarmMeans, WorldError> {
        let access = FarmArgs {
            redis_user: self.redis_user,
            redis_password_file: self.redis_password_file,
            tls_ca: self.tls_ca,
            tls_cert: self.tls_cert,
            tls_key: self.tls_key,
            farm_key_file: self.farm_key_file,
            insecure: self.insecure,
        };
        let network = NetworkArgs {
            world: self.world.map(Into::into),
            network: self.network,
            state: StateArgs {
                state: self.state.map(Into::into).or_else(known_state),
            },
        };
        let known = known_redis();
        let world = choice(&network)?;
        let means = FarmMeans {
            environment: environment(),
            known: known.clone(),
            fallback: self.fallback.map(|word| word.0.into()),
            workers: self.workers,
            terms: JobTerms {
                on: self.on,
                owner: self.owner.or_else(user_name),
            },
            backend: self
                .backend
                .map_or_else(Default::default, |word| word.0.into()),
            ..FarmMeans::default()
        };
        // What is set for all commands is not meant where a world is named.
        let url = self.redis.or_else(|| known.filter(|_| world.is_none()));
        let redis = url
            .filter(|url| !url.is_empty())
            .map(|url| means.address(&url, access));
        Ok(FarmMeans {
            redis,
            world,
            ..means
        })
    }
}

/// Threads that this process has for it.
#[serde_as]
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ThreadsKeys {
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    threads: Option<u16>,
}

/// Keys of `render`.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct RenderKeys {
    #[serde(flatten)]
    picture: PictureRequest,
    #[serde(flatten)]
    farm: FarmKeys,
    #[serde(flatten)]
    threads: ThreadsKeys,
    #[serde_as(as = "OneOrMany<_, PreferOne>")]
    output: Vec<PathBuf>,
    location: Option<PathBuf>,
    palette_file: Option<String>,
    measure: Option<Word<MeasureArg>>,
    #[serde_as(as = "OneOrMany<_, PreferOne>")]
    channels: Vec<String>,
    compression: Option<Word<CompressionArg>>,
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    strip_rows: Option<u32>,
    #[serde_as(as = "Option<PickFirst<(_, DisplayFromStr)>>")]
    audit: Option<u8>,
    journal: Option<PathBuf>,
    no_journal: bool,
    fresh: bool,
}

/// Keys of `zoom`.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ZoomKeys {
    #[serde(flatten)]
    sequence: SequenceRequest,
    #[serde(flatten)]
    farm: FarmKeys,
    #[serde(flatten)]
    threads: ThreadsKeys,
    output: Option<PathBuf>,
    location: Option<PathBuf>,
    palette_file: Option<String>,
    ffmpeg: Option<PathBuf>,
    encoder: Option<String>,
    #[serde_as(as = "OneOrMany<_, PreferOne>")]
    encoder_option: Vec<String>,
    keep: Option<PathBuf>,
    reuse: Option<PathBuf>,
}

/// Keys of `colour`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct ColourKeys {
    #[serde(flatten)]
    paint: PaintRequest,
    #[serde(flatten)]
    threads: ThreadsKeys,
    data: Option<PathBuf>,
    output: Option<PathBuf>,
    palette_file: Option<String>,
    compression: Option<Word<CompressionArg>>,
}

/// Keys of `locate`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct LocateKeys {
    #[serde(flatten)]
    minibrot: MinibrotRequest,
    #[serde(flatten)]
    threads: ThreadsKeys,
    location: Option<PathBuf>,
    output: Option<PathBuf>,
}

/// A job, as the keys of its command.
#[derive(Clone, Debug)]
pub enum Keys {
    /// `render`.
    Render(Box<RenderKeys>),
    /// `zoom`.
    Zoom(Box<ZoomKeys>),
    /// `colour`.
    Colour(Box<ColourKeys>),
    /// `locate`.
    Locate(Box<LocateKeys>),
}

/// What a job does.
pub enum Work {
    /// A picture.
    Render(PictureRequest, Means),
    /// A sequence.
    Zoom(SequenceRequest, SequenceMeans),
    /// Data in other colours.
    Colour(PaintRequest, PaintMeans),
    /// A minibrot, in or near the place of a file, into a file.
    Locate(MinibrotRequest, Option<PathBuf>, Option<PathBuf>),
}

impl Keys {
    /// Threads that the job is given.
    pub fn threads(&self) -> Option<u16> {
        match self {
            Self::Render(keys) => keys.threads,
            Self::Zoom(keys) => keys.threads,
            Self::Colour(keys) => keys.threads,
            Self::Locate(keys) => keys.threads,
        }
        .threads
    }

    /// Files that it writes.
    pub fn outputs(&self) -> Vec<PathBuf> {
        match self {
            Self::Render(keys) if keys.output.is_empty() => vec![usual::OUTPUT.into()],
            Self::Render(keys) => keys.output.clone(),
            Self::Zoom(keys) => vec![keys.output.clone().unwrap_or_else(|| usual::VIDEO.into())],
            Self::Colour(keys) => keys.output.iter().cloned().collect(),
            Self::Locate(keys) => keys.output.iter().cloned().collect(),
        }
    }

    /// The file that it reads.
    pub fn input(&self) -> Option<PathBuf> {
        match self {
            Self::Render(keys) => keys.location.clone(),
            Self::Zoom(keys) => keys.location.clone(),
            Self::Colour(keys) => keys.data.clone(),
            Self::Locate(keys) => keys.location.clone(),
        }
    }

    /// The folder in which it keeps key frames, and the one from which it takes them.
    pub fn folders(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        match self {
            Self::Zoom(keys) => (keys.keep.clone(), keys.reuse.clone()),
            _ => (None, None),
        }
    }

    /// What it does.
    ///
    /// # Errors
    /// A mistake, in a line.
    pub fn work(self) -> Result<Work, String> {
        let within = |name: &str, is_within: bool, range: &str| match is_within {
            true => Ok(()),
            false => Err(format!("{name}: not in {range}")),
        };
        let world = |error: WorldError| error.to_string();
        let threads = self.threads().unwrap_or(1);
        within("threads", (1..=1024).contains(&threads), "1..=1024")?;
        Ok(match self {
            Self::Render(keys) => {
                let keys = *keys;
                let audit = keys.audit.unwrap_or(0);
                within("audit", audit <= 100, "0..=100")?;
                within("strip-rows", keys.strip_rows != Some(0), "1..")?;
                if keys.no_journal && keys.fresh {
                    return Err("no-journal does not go with fresh".to_owned());
                }
                let channel = |text: &String| {
                    let parts = text.split(',').map(str::trim);
                    let channels = parts.map(|part| ChannelArg::from_str(part, true));
                    channels.collect::<Result<Vec<_>, _>>()
                };
                let channels = keys.channels.iter().map(channel);
                let channels = channels.collect::<Result<Vec<_>, _>>();
                let channels = channels
                    .map_err(|error| format!("channels: {error}"))?
                    .concat();
                let means = Means {
                    outputs: keys.output,
                    keeps: false,
                    kept: None,
                    measure: keys.measure.map(|word| word.0.into()),
                    channels: channels.into_iter().map(Into::into).collect(),
                    compression: (keys.compression)
                        .map_or_else(Default::default, |word| word.0.into()),
                    location: keys.location,
                    palette: keys.palette_file,
                    farm: keys.farm.means().map_err(world)?,
                    strip_rows: keys.strip_rows,
                    audit,
                    journal: match (keys.no_journal, keys.fresh) {
                        (true, _) => JournalMeans::None,
                        (false, true) => JournalMeans::Fresh(journal(keys.journal)),
                        (false, false) => JournalMeans::Kept(journal(keys.journal)),
                    },
                };
                Work::Render(keys.picture, means)
            }
            Self::Zoom(keys) => {
                let keys = *keys;
                let options = keys.encoder_option.iter();
                let options = options.map(|option| encoder_option(option));
                let means = SequenceMeans {
                    location: keys.location,
                    palette: keys.palette_file,
                    output: keys.output,
                    ffmpeg: keys.ffmpeg,
                    encoder: keys.encoder,
                    encoder_options: options.collect::<Result<_, _>>()?,
                    keep: keys.keep,
                    reuse: keys.reuse,
                    farm: keys.farm.means().map_err(world)?,
                };
                Work::Zoom(keys.sequence, means)
            }
            Self::Colour(keys) => {
                let keys = *keys;
                let means = PaintMeans {
                    data: keys.data.ok_or("data: give the file to paint")?,
                    output: keys.output.ok_or("output: give the picture to write")?,
                    palette: keys.palette_file,
                    compression: (keys.compression)
                        .map_or_else(Default::default, |word| word.0.into()),
                };
                Work::Colour(keys.paint, means)
            }
            Self::Locate(keys) => Work::Locate(keys.minibrot, keys.location, keys.output),
        })
    }
}

/// Where journals are: as the job says, or else as the environment does.
fn journal(own: Option<PathBuf>) -> Option<PathBuf> {
    own.or_else(known_journal)
}

/// A palette's text as it is put beside the request: as itself, or as a file's.
pub fn palette_key(text: &str) -> &'static str {
    match text.parse::<Palette>() {
        Ok(_) => "palette",
        Err(_) => "palette-file",
    }
}

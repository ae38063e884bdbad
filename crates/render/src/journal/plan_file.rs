//! A job's plan as its journal keeps it: all that is needed to go on with it, but no credentials.

use std::path::PathBuf;

use colour::{Scheme, SchemeError};
use disk::sealed::{self, SealError};
use farm_queue::JobSpec;
use farm_queue::redis::ConnectOptions;
use fractal::StripPlan;
use pictures::Compression;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::saved_path::SavedPath;
use crate::plan::{ArithmeticPlan, JobTerms, Output, OutputKind, Place, RenderPlan};

/// Version of the plans that this build writes, and the only one that it reads.
const SAVED_VERSION: u32 = 3;
/// Most bytes of a plan: a job's spec of the largest size, and the names of its files.
pub const MAX_PLAN_BYTES: u64 = 4 << 20;
/// Most files of one job.
const MAX_OUTPUTS: usize = 1000;

/// Why a plan was refused.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    /// Not a plan, or not the one that was written.
    #[error("the plan: {0}")]
    Sealed(SealError),
    /// Written by a build of another version.
    #[error("plan of version {0}; this build reads version {SAVED_VERSION}")]
    Version(u32),
    /// The job keeps no limits.
    #[error(transparent)]
    Job(#[from] farm_queue::protocol::spec::SpecError),
    /// Its colours are none.
    #[error(transparent)]
    Colours(#[from] SchemeError),
    /// Something in it cannot be.
    #[error("plan with a bad {0}")]
    Field(&'static str),
}

/// A job as its journal knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    version: u32,
    /// What is computed.
    pub job: JobSpec,
    outputs: Vec<SavedOutput>,
    colours: Scheme,
    /// Values at the palette's ends, as they were found.
    pub range: (f64, f64),
    compression: Compression,
    place: SavedPlace,
    audit: u8,
    /// Of the arguments that decide the bytes and where they go.
    pub fingerprint: String,
    /// Seconds since 1970 when the job began.
    pub created: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedOutput {
    path: SavedPath,
    kind: OutputKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum SavedPlace {
    InProcess { workers: u16 },
    Farm { redis: String },
}

/// What the same command gives again: everything that decides the bytes of its files, and where they go.
#[derive(Serialize)]
struct Identity<'a> {
    frame: &'a fractal::FrameSpec,
    strips: StripPlan,
    backend: fractal::BackendChoice,
    arithmetic: ArithmeticPlan,
    build: u64,
    outputs: &'a [SavedOutput],
    colours: &'a Scheme,
    compression: Compression,
    redis: Option<&'a str>,
    audit: u8,
}

/// The fingerprint of a plan; `None` where it has no files, or a file's name cannot be written down.
#[must_use]
pub fn fingerprint(plan: &RenderPlan, build: u64) -> Option<String> {
    let place = SavedPlace::of(&plan.place);
    let identity = Identity {
        frame: &plan.frame,
        strips: plan.strips,
        backend: plan.backend,
        arithmetic: plan.arithmetic,
        build,
        outputs: &saved_outputs(plan)?,
        colours: &plan.colours,
        compression: plan.compression,
        redis: match &place {
            SavedPlace::InProcess { .. } => None,
            SavedPlace::Farm { redis } => Some(redis),
        },
        audit: plan.audit,
    };
    let text = serde_json::to_vec(&identity).ok()?;
    Some(format!("{:032x}", xxh3_128(&text)))
}

/// The files of a plan; `None` where there are none, as of a picture in memory alone: whoever took up its journal would
/// have nothing to make. And where a file's name cannot be written down.
fn saved_outputs(plan: &RenderPlan) -> Option<Vec<SavedOutput>> {
    if plan.outputs.is_empty() {
        return None;
    }
    let saved = |output: &Output| {
        Some(SavedOutput {
            path: SavedPath::of(&output.path)?,
            kind: output.kind,
        })
    };
    plan.outputs.iter().map(saved).collect()
}

impl SavedPlace {
    fn of(place: &Place) -> Self {
        match place {
            Place::InProcess { workers, .. } => Self::InProcess { workers: *workers },
            Place::Farm { farm, .. } => Self::Farm {
                redis: without_credentials(&farm.url),
            },
        }
    }
}

/// A Redis address without user, password, and whatever else could be one.
fn without_credentials(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let address = match address.split_once("://") {
        Some((scheme, rest)) if !scheme.contains("unix") => {
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            format!("{scheme}://{host}")
        }
        _ => address.to_owned(),
    };
    // Only what is known to be none.
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.starts_with("db=") || pair.starts_with("protocol="))
        .collect();
    if kept.is_empty() {
        address
    } else {
        format!("{address}?{}", kept.join("&"))
    }
}

impl SavedPlan {
    /// The plan of a job that begins; `None` where it has no files, or a file's name cannot be written down.
    #[must_use]
    pub fn new(plan: &RenderPlan, job: &JobSpec, range: (f64, f64), build: u64) -> Option<Self> {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Some(Self {
            version: SAVED_VERSION,
            job: job.clone(),
            outputs: saved_outputs(plan)?,
            colours: plan.colours.clone(),
            range,
            compression: plan.compression,
            place: SavedPlace::of(&plan.place),
            audit: plan.audit,
            fingerprint: fingerprint(plan, build)?,
            created: since_1970.map_or(0, |time| time.as_secs()),
        })
    }

    /// As it is kept.
    ///
    /// # Errors
    /// Never with plain data; what the writer says.
    pub fn encode(&self) -> Result<Vec<u8>, SavedPlanError> {
        sealed::seal(self).map_err(|error| SavedPlanError::Sealed(error.into()))
    }

    /// The checked plan in bytes from the disk.
    ///
    /// # Errors
    /// The first thing that is wrong with them.
    pub fn decode(bytes: &[u8]) -> Result<Self, SavedPlanError> {
        #[derive(Deserialize)]
        struct VersionOnly {
            version: u32,
        }
        // The version first: a plan of another version may have any other fields, and the oldest had no digest.
        let version = match sealed::open(bytes) {
            Ok(VersionOnly { version }) => version,
            Err(error) => match serde_json::from_slice(bytes) {
                Ok(VersionOnly { version }) => return Err(SavedPlanError::Version(version)),
                Err(_) => return Err(SavedPlanError::Sealed(error)),
            },
        };
        if version != SAVED_VERSION {
            return Err(SavedPlanError::Version(version));
        }
        let saved: Self = sealed::open(bytes).map_err(SavedPlanError::Sealed)?;
        farm_queue::protocol::spec::check(&saved.job)?;
        saved.colours.check()?;
        let size = (saved.job.frame.width, saved.job.frame.height);
        if saved.colours.samples.pixels(size).is_none() {
            return Err(SavedPlanError::Field("number of samples"));
        }
        let (low, high) = saved.range;
        if !(low < high && (high - low).is_finite()) {
            return Err(SavedPlanError::Field("colour range"));
        }
        if saved.outputs.is_empty() || saved.outputs.len() > MAX_OUTPUTS {
            return Err(SavedPlanError::Field("list of files"));
        }
        for output in &saved.outputs {
            if output.path.path().is_none_or(|path| !path.is_absolute()) {
                return Err(SavedPlanError::Field("name of a file"));
            }
            let frame = &saved.job.frame;
            let measures = frame.measures;
            if !output
                .kind
                .measures(frame, &saved.colours)
                .iter()
                .all(|m| measures.contains(m))
            {
                return Err(SavedPlanError::Field("set of measures"));
            }
        }
        if saved.audit > 100 {
            return Err(SavedPlanError::Field("share of strips to audit"));
        }
        if let SavedPlace::InProcess { workers } = saved.place
            && !(1..=1024).contains(&workers)
        {
            return Err(SavedPlanError::Field("number of workers"));
        }
        Ok(saved)
    }

    /// Where its files go.
    pub fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.outputs.iter().filter_map(|output| output.path.path())
    }

    /// Address of its farm, without credentials; `None` in process.
    #[must_use]
    pub fn redis(&self) -> Option<&str> {
        match &self.place {
            SavedPlace::InProcess { .. } => None,
            SavedPlace::Farm { redis } => Some(redis),
        }
    }

    /// The plan to go on with: by way of `farm` when the job is a farm's and it is given, with `workers` when
    /// given.
    #[must_use]
    pub fn plan(&self, farm: Option<ConnectOptions>, workers: Option<u16>) -> RenderPlan {
        let place = match &self.place {
            SavedPlace::InProcess { workers: had } => Place::InProcess {
                workers: workers.unwrap_or(*had),
                threads: None,
            },
            SavedPlace::Farm { redis: had } => Place::Farm {
                farm: Box::new(farm.unwrap_or_else(|| ConnectOptions::new(had.as_str()))),
                workers: workers.or(self.job.max_workers),
                terms: JobTerms {
                    on: self.job.on.clone(),
                    owner: None,
                },
            },
        };
        let outputs = self.outputs.iter().filter_map(|output| {
            Some(Output {
                path: output.path.path()?,
                kind: output.kind,
            })
        });
        RenderPlan {
            frame: self.job.frame.clone(),
            strips: self.job.strips,
            backend: self.job.backend,
            arithmetic: ArithmeticPlan {
                deltas: self.job.orbit.is_some(),
                only: self.job.arithmetic,
                checked: false,
            },
            outputs: outputs.collect(),
            keeps: false,
            colours: self.colours.clone(),
            compression: self.compression,
            place,
            audit: self.audit,
            journal: None,
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use colour::Samples;
    use pictures::Channels;
    use proptest::prelude::*;

    use super::*;
    use crate::tests::plans::{plan, saved};

    fn farm(url: &str) -> Place {
        Place::Farm {
            farm: Box::new(ConnectOptions::new(url)),
            workers: None,
            terms: JobTerms::default(),
        }
    }

    #[test]
    fn a_plan_comes_back_as_it_went() {
        let mut plan = plan(&["a.png", "/tmp/b.npy"]);
        plan.audit = 5;
        plan.colours.palette = "turbo".parse().unwrap();
        let saved = saved(&plan);
        let read = SavedPlan::decode(&saved.encode().unwrap()).unwrap();
        assert_eq!(read, saved);
        let colours = plan.colours;
        let plan = read.plan(None, None);
        assert_eq!(read.range, (0.1 + 0.2, 7.0));
        assert_eq!(plan.colours, colours);
        assert_eq!((plan.audit, plan.outputs.len()), (5, 2));
        assert!(plan.outputs.iter().all(|output| output.path.is_absolute()));
    }

    #[test]
    fn a_picture_in_memory_alone_has_nothing_to_go_on_with() {
        let mut plan = plan(&[]);
        plan.keeps = true;
        assert_eq!(fingerprint(&plan, 1), None);
        let job = crate::job::job_of(&plan, farm_queue::JobId::generate(), None);
        assert_eq!(SavedPlan::new(&plan, &job, (0.0, 1.0), 1), None);
    }

    #[test]
    fn causes_are_said_once() {
        let error = SavedPlan::decode(b"{}").unwrap_err();
        assert!(matches!(error, SavedPlanError::Sealed(_)), "{error}");
        assert!(std::error::Error::source(&error).is_none());
    }

    #[test]
    fn no_credentials_are_kept() {
        for (given, kept) in [
            ("redis://user:secret@farm:6379/2", "redis://farm:6379/2"),
            ("rediss://:s@cret@farm", "rediss://farm"),
            ("redis://farm?db=3&password=secret", "redis://farm?db=3"),
            (
                "unix:///run/a@b.sock?pass=secret&user=u",
                "unix:///run/a@b.sock",
            ),
            ("redis://user:se/cret@farm", "redis://farm"),
            (
                "redis+sentinel://u:secret@127.0.0.1,[::1]:7/farm/2?sentinel_user=s&sentinel_pass=secret",
                "redis+sentinel://127.0.0.1,[::1]:7/farm/2",
            ),
        ] {
            assert_eq!(without_credentials(given), kept);
            let mut plan = plan(&["a.png"]);
            plan.place = farm(given);
            let saved = saved(&plan);
            let text = String::from_utf8(saved.encode().unwrap()).unwrap();
            assert!(!text.contains("cret") && text.contains(kept), "{text}");
        }
    }

    #[test]
    fn the_same_command_has_the_same_fingerprint_and_no_other() {
        let of = |plan: &RenderPlan| fingerprint(plan, 1).unwrap();
        let base = plan(&["a.png"]);
        assert_eq!(of(&base), of(&plan(&["a.png"])));
        assert_ne!(Some(of(&base)), fingerprint(&base, 2));
        let same: [fn(&mut RenderPlan); 2] = [
            |plan| {
                plan.place = Place::InProcess {
                    workers: 3,
                    threads: Some(1),
                }
            },
            |plan| plan.warnings.push("a warning".to_owned()),
        ];
        for change in same {
            let mut changed = base.clone();
            change(&mut changed);
            assert_eq!(of(&changed), of(&base));
        }
        let other: [fn(&mut RenderPlan); 11] = [
            |plan| plan.frame.iterations += 1,
            |plan| plan.outputs[0].path = "b.png".into(),
            |plan| plan.outputs[0].kind = OutputKind::Exr(Channels::default()),
            |plan| plan.colours.palette = "turbo".parse().unwrap(),
            |plan| plan.colours.range = Some((1.0, 2.0)),
            |plan| plan.colours.samples = Samples::try_from(4).unwrap(),
            |plan| plan.compression = Compression::High,
            |plan| plan.backend = fractal::BackendChoice::Auto,
            |plan| {
                plan.strips = StripPlan {
                    height: 24,
                    strip_rows: 3,
                }
            },
            |plan| plan.place = farm("redis://farm"),
            |plan| plan.audit = 1,
        ];
        for (number, change) in other.iter().enumerate() {
            let mut changed = base.clone();
            change(&mut changed);
            assert_ne!(of(&changed), of(&base), "{number}");
        }
        let on_farm = |login: &str| {
            let place = farm(&format!("redis://{login}farm"));
            of(&RenderPlan {
                place,
                ..base.clone()
            })
        };
        assert_eq!(on_farm(""), on_farm("user:password@"));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let saved = saved(&plan(&["/tmp/a.png"]));
        let text = serde_json::to_string(&saved).unwrap();
        let resealed = |text: &str| {
            let value = serde_json::value::RawValue::from_string(text.to_owned()).unwrap();
            sealed::seal(&value).unwrap()
        };
        assert_eq!(SavedPlan::decode(&resealed(&text)).unwrap(), saved);
        for (from, to) in [
            ("\"version\":3", "\"version\":4"),
            ("/tmp/a.png", "a.png"),
            ("\"audit\":0", "\"audit\":101"),
            ("\"workers\":1}", "\"workers\":0}"),
            ("7.0", "0.1"),
            ("\"palette\"", "\"pallet\""),
            ("\"plasma\"", "\"plasm\""),
            ("\"samples\":1", "\"samples\":49"),
            ("\"offset\":0", "\"offset\":2"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(SavedPlan::decode(&resealed(&changed)).is_err(), "{from}");
        }
        // As the build before this one wrote them.
        let old = text.replacen("\"version\":3", "\"version\":2", 1);
        let error = SavedPlan::decode(old.as_bytes()).unwrap_err();
        assert!(matches!(error, SavedPlanError::Version(2)), "{error}");
    }

    #[test]
    fn a_plan_with_one_changed_bit_is_refused() {
        let bytes = saved(&plan(&["a.png"])).encode().unwrap();
        for bit in 0..8 * bytes.len() {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(SavedPlan::decode(&changed).is_err());
        }
    }

    proptest! {
        #[test]
        fn damaged_plans_never_panic(at: prop::sample::Index, to: u8, cut: prop::sample::Index) {
            let mut bytes = saved(&plan(&["a.png", "b.npy"])).encode().unwrap();
            let at = at.index(bytes.len());
            let same = bytes[at] == to;
            bytes[at] = to;
            prop_assert_eq!(SavedPlan::decode(&bytes).is_ok(), same);
            bytes.truncate(cut.index(bytes.len()));
            prop_assert!(SavedPlan::decode(&bytes).is_err());
        }
    }
}

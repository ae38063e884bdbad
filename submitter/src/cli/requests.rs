//! What was typed becomes requests and their means. With `world`, the only module that reads the environment by itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use colour::Palette;
use farm_worker::farm_args::Environment;
use requests::perform::colours::PaintMeans;
use requests::request::means::{Address, JournalMeans};
use requests::{
    ColourRequest, FarmMeans, FormulaRequest, Means, MinibrotRequest, PaintRequest, PictureRequest,
    SequenceMeans, SequenceRequest, TurnRequest, ViewRequest,
};
use world::{Choice, WorldError};

use super::colour::{ColourArgs, RecolourArgs};
use super::place::{AccessArgs, FormulaArgs, TurnArgs};
use super::render::{LocateArgs, RenderArgs, ViewArgs};
use super::scale::ScaleArgs;
use super::world::{NetworkArgs, StageArgs, world_file};
use super::zoom::ZoomArgs;

/// The variable with the address of the farm's Redis.
const REDIS: &str = "FARM_REDIS";

/// What the environment says of the way into a farm.
pub fn environment() -> Environment {
    Environment::of(|name| std::env::var(name).ok())
}

/// The address of the farm's Redis that the environment sets.
pub fn known_redis() -> Option<String> {
    std::env::var(REDIS).ok().filter(|url| !url.is_empty())
}

/// The folder of the journals that the environment sets.
pub fn known_journal() -> Option<PathBuf> {
    std::env::var_os("FARM_JOURNAL").map(PathBuf::from)
}

/// The folder for what is known of booted networks that the environment sets.
pub fn known_state() -> Option<OsString> {
    std::env::var_os("FARM_STATE")
}

impl From<TurnArgs> for TurnRequest {
    fn from(args: TurnArgs) -> Self {
        Self {
            rotate: args.rotate,
            stretch: args.stretch,
            stretch_angle: args.stretch_angle,
        }
    }
}

impl From<FormulaArgs> for FormulaRequest {
    fn from(args: FormulaArgs) -> Self {
        Self {
            formula: args.formula,
            julia: args.julia.and_then(|c| c.try_into().ok()),
        }
    }
}

impl ViewArgs {
    /// The view, and the file of a place.
    fn split(self) -> (ViewRequest, Option<PathBuf>) {
        let view = ViewRequest {
            re: self.re,
            im: self.im,
            zoom: self.zoom,
            xmin: self.xmin,
            xmax: self.xmax,
            ymin: self.ymin,
            ymax: self.ymax,
            density: self.density,
            size: self.size,
            turn: self.turn.into(),
        };
        (view, self.location)
    }
}

impl ColourArgs {
    /// The colours, and a palette that is in a file.
    fn split(self) -> (ColourRequest, Option<String>) {
        let (palette, file) = split_palette(self.palette);
        let colours = ColourRequest {
            palette,
            blend: self
                .blend
                .map(|blend| colour::Blend::from(blend).to_string()),
            colour: self.colour.map(Into::into),
            mapping: self.mapping.map(Into::into),
            equalise: self.equalise,
            colour_range: match self.colour_range.as_deref() {
                Some([low, high]) => Some((*low, *high)),
                _ => None,
            },
            period: self.period,
            cycles: self.cycles,
            offset: self.offset,
            inside: self.inside,
            light: self.light,
            no_light: self.no_light,
            samples: self.samples,
            dither: self.dither,
            no_dither: self.no_dither,
            depth: self.depth,
        };
        (colours, file)
    }
}

/// A palette: one that its text says, or one in a file that it names.
pub fn split_palette(text: Option<String>) -> (Option<Palette>, Option<String>) {
    match text.map(|text| text.parse::<Palette>().map_err(|_| text)) {
        None => (None, None),
        Some(Ok(palette)) => (Some(palette), None),
        Some(Err(file)) => (None, Some(file)),
    }
}

/// The world's network that was named; `None` where none was.
///
/// # Errors
/// Where its file is to be, when it is not there.
pub fn choice(args: &NetworkArgs) -> Result<Option<Choice>, WorldError> {
    let Some(file) = &args.world else {
        return Ok(None);
    };
    let file = Some(Path::new(file)).filter(|file| !file.as_os_str().is_empty());
    Ok(Some(Choice {
        file: world_file(file).map_err(WorldError::None)?,
        network: args.network.clone(),
        state: args.state.state.clone().map(Into::into),
    }))
}

/// Where and by what something is computed. An address that is set for all commands is not meant where a world is named, and
/// nothing that belongs to it is read then.
fn farm_means(
    access: AccessArgs,
    network: &NetworkArgs,
    means: &FarmMeans,
) -> Result<FarmMeans, WorldError> {
    let world = choice(network)?;
    let known = known_redis();
    let url = access.redis().map(str::to_owned);
    let is_meant = |url: &String| world.is_none() || known.as_ref() != Some(url);
    Ok(FarmMeans {
        redis: (url.filter(is_meant)).map(|url| Address::of_user(url, access.farm)),
        world,
        environment: environment(),
        known,
        ..means.clone()
    })
}

impl StageArgs {
    fn farm(&self, access: AccessArgs, means: FarmMeans) -> Result<FarmMeans, WorldError> {
        let fallback = self.fallback.map(Into::into);
        farm_means(access, &self.network, &FarmMeans { fallback, ..means })
    }
}

impl RenderArgs {
    /// What is drawn, and by what means.
    ///
    /// # Errors
    /// When there is no world file.
    pub fn split(self) -> Result<(PictureRequest, Means), WorldError> {
        let (view, location) = self.view.split();
        let (colours, palette) = self.colours.split();
        let request = PictureRequest {
            view,
            iterated: self.iterated.into(),
            iterations: self.iterations,
            escape_radius: self.escape_radius,
            z0: pair(self.z0.as_deref()),
            skip_error_log2: self.skip_error_log2,
            grid: self.grid.map(Into::into),
            arithmetic: self.arithmetic.only(),
            counts: self.counts.map(Into::into),
            colours,
        };
        let folder = self.journal.journal;
        let farm = FarmMeans {
            workers: self.crew.workers,
            terms: self.crew.terms(),
            backend: self.devices.backend.into(),
            ..FarmMeans::default()
        };
        let means = Means {
            outputs: self.outputs,
            keeps: false,
            kept: None,
            measure: Some(self.measure.into()),
            channels: self.channels.channels.into_iter().map(Into::into).collect(),
            compression: self.compression.into(),
            location,
            palette,
            farm: self.stage.farm(self.access, farm)?,
            strip_rows: self.strip_rows,
            audit: self.audit,
            journal: match (self.no_journal, self.fresh) {
                (true, _) => JournalMeans::None,
                (false, true) => JournalMeans::Fresh(folder),
                (false, false) => JournalMeans::Kept(folder),
            },
        };
        Ok((request, means))
    }
}

impl ScaleArgs {
    /// The picture that is rendered by each number of workers, and by what means; what `scale` has no option for is as
    /// `render` has it, except that nothing is kept of a run.
    ///
    /// # Errors
    /// When there is no world file.
    pub fn split(&self, outputs: Vec<PathBuf>) -> Result<(PictureRequest, Means), WorldError> {
        let (view, location) = self.view.clone().split();
        let request = PictureRequest {
            view,
            iterated: self.iterated.clone().into(),
            iterations: self.iterations,
            z0: pair(self.z0.as_deref()),
            grid: Some(self.grid.into()),
            arithmetic: self.arithmetic.only(),
            counts: self.counts.map(Into::into),
            ..PictureRequest::default()
        };
        let farm = FarmMeans {
            workers: Some(self.workers.most()),
            backend: self.devices.backend.into(),
            ..FarmMeans::default()
        };
        let means = Means {
            outputs,
            measure: Some(self.measure.into()),
            location,
            farm: farm_means(self.access.clone(), &self.network, &farm)?,
            strip_rows: self.strip_rows,
            ..Means::default()
        };
        Ok((request, means))
    }
}

impl ZoomArgs {
    /// What is drawn, and by what means.
    ///
    /// # Errors
    /// When there is no world file.
    pub fn split(self) -> Result<(SequenceRequest, SequenceMeans), WorldError> {
        let (colours, palette) = self.colours.split();
        let request = SequenceRequest {
            re: self.re,
            im: self.im,
            from: self.from,
            to: self.to,
            iterated: self.iterated.into(),
            view_rotate: self.view_rotate,
            stretch: self.stretch,
            stretch_angle: self.stretch_angle,
            iterations: self.iterations,
            shallow_iterations: self.shallow_iterations,
            size: self.size,
            fps: Some(self.fps),
            // What is typed for all of it counts, and not this default.
            seconds_per_octave: Some(self.seconds_per_octave).filter(|_| self.duration.is_none()),
            duration: self.duration,
            ease: Some(self.ease),
            rotate: Some(self.rotate),
            reverse: self.reverse,
            preview: self.preview,
            key_samples: self.key_samples,
            colours,
        };
        let farm = FarmMeans {
            workers: self.place.crew.workers,
            terms: self.place.crew.terms(),
            backend: self.place.devices.backend.into(),
            ..FarmMeans::default()
        };
        let means = SequenceMeans {
            location: self.location,
            palette,
            output: Some(self.output),
            ffmpeg: Some(self.ffmpeg),
            encoder: self.encoder,
            encoder_options: self.encoder_options,
            keep: self.keep,
            reuse: self.reuse,
            farm: self.stage.farm(self.place.access, farm)?,
        };
        Ok((request, means))
    }
}

impl RecolourArgs {
    /// What is painted, and by what means.
    pub fn split(self) -> (PaintRequest, PaintMeans) {
        let (colours, palette) = self.colours.split();
        let request = PaintRequest {
            colours,
            plain: self.plain,
        };
        let means = PaintMeans {
            data: self.data,
            output: self.output,
            palette,
            compression: self.compression.into(),
        };
        (request, means)
    }
}

impl LocateArgs {
    /// What is looked for, and the file of a place.
    pub fn split(self) -> (MinibrotRequest, Option<PathBuf>) {
        let request = MinibrotRequest {
            re: self.re,
            im: self.im,
            zoom: self.zoom,
            iterated: self.iterated.into(),
            turn: self.turn.into(),
            upright: self.upright,
            iterations: Some(self.iterations),
        };
        (request, self.location)
    }
}

fn pair(numbers: Option<&[f64]>) -> Option<(f64, f64)> {
    match numbers {
        Some([a, b]) => Some((*a, *b)),
        _ => None,
    }
}

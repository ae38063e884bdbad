//! `submitter submit`: jobs for a server. What they read is read here, and what they write is named there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use fractal::Grid;
use render::RenderPlan;
use requests::plan;
use requests::request::means::JournalMeans;
use requests::{FarmMeans, Means, PictureRequest, SequenceMeans, SequenceRequest};
use serde_json::Value;
use web::client::{Client, ClientError};
use web::{JobRequest, KnownRequest, KnownSequence, colour_request, place_request};
use zoom::ZoomPlan;

use super::super::batch::{Work, works};
use crate::cli::serve::submit::{SubmitArgs, SubmitCommand};
use crate::failure::Failure;
use crate::terminal::{say, write_json};

/// Hands jobs over, and says their names.
pub async fn run(args: SubmitArgs) -> Result<(), Failure> {
    let client = Client::open(&args.server, args.server_ca.as_deref())?;
    let (json, quiet) = (args.work.is_json(), args.work.is_quiet());
    let works = match args.work {
        SubmitCommand::Render(args) => {
            let (request, means) = args.split()?;
            vec![(String::new(), Work::Render(request, means))]
        }
        SubmitCommand::Zoom(args) => {
            let (request, means) = args.split()?;
            vec![(String::new(), Work::Zoom(request, means))]
        }
        SubmitCommand::Batch(args) => works(&args)?,
    };
    let requests = works.into_iter().map(|(name, work)| {
        let request = match work {
            Work::Render(request, means) => picture(request, means),
            Work::Zoom(request, means) => sequence(request, means),
            Work::Colour(..) | Work::Locate(..) => Err(Failure::usage(
                "a server makes pictures and videos: colour and locate run here",
            )),
        };
        match name.is_empty() {
            true => request,
            false => request
                .map_err(|error| Failure::new(error.kind(), format!("{name}: {}", error.line()))),
        }
    });
    // All of them can be before the first is handed over.
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    for request in requests {
        let job = client.submit(&request).await?;
        if json {
            write_json(&job)?;
        } else if !quiet {
            say(&line(&job));
        }
    }
    Ok(())
}

fn line(job: &Value) -> String {
    let text = |key: &str| job[key].as_str().unwrap_or_default().to_owned();
    format!("job {} was handed over: {}", text("job"), text("title"))
}

/// Names of files within the server's folder.
fn names(paths: &[PathBuf], usual: &str) -> Result<Vec<String>, Failure> {
    if paths.is_empty() {
        return Ok(vec![usual.to_owned()]);
    }
    let name = |path: &PathBuf| {
        let is_name = path.components().count() == 1 && path.file_name().is_some();
        let name = path.to_str().filter(|_| is_name).map(str::to_owned);
        name.ok_or_else(|| {
            let path = path.display();
            Failure::usage(format!(
                "-o {path}: give a name without a folder: the file goes into the server's"
            ))
        })
    };
    paths.iter().map(name).collect()
}

/// Where and by what a job is computed the server decides; what is set for all commands is not meant.
fn without_farm(farm: &FarmMeans) -> Result<FarmMeans, Failure> {
    if farm.world.is_some() || farm.workers.is_some() || farm.fallback.is_some() {
        return Err(Failure::usage(
            "--world, --workers and --fallback are the server's: it computes where it was told to",
        ));
    }
    Ok(FarmMeans::default())
}

fn picture(request: PictureRequest, means: Means) -> Result<JobRequest, Failure> {
    let outputs = names(&means.outputs, plan::usual::OUTPUT)?;
    let means = Means {
        farm: without_farm(&means.farm)?,
        journal: JournalMeans::None,
        outputs: outputs.iter().map(PathBuf::from).collect(),
        ..means
    };
    let planned = plan::picture::picture(request.clone(), &means)?;
    Ok(JobRequest {
        outputs,
        picture: Some(KnownRequest(complete(request, &means, &planned))),
        sequence: None,
        measure: means.measure,
        channels: means.channels,
        compression: Some(means.compression),
        strip_rows: means.strip_rows,
        audit: Some(means.audit).filter(|audit| *audit > 0),
        encoder_options: BTreeMap::new(),
    })
}

/// A request with what its files say: the server has none of them.
fn complete(request: PictureRequest, means: &Means, planned: &RenderPlan) -> PictureRequest {
    if means.location.is_some() {
        return PictureRequest {
            arithmetic: request.arithmetic,
            grid: Some(planned.frame.grid).filter(|grid| *grid == Grid::Linspace),
            ..place_request(planned.location(None))
        };
    }
    match means.palette {
        Some(_) => PictureRequest {
            colours: colour_request(planned.colours.clone()),
            ..request
        },
        None => request,
    }
}

fn sequence(request: SequenceRequest, means: SequenceMeans) -> Result<JobRequest, Failure> {
    let outputs: Vec<PathBuf> = means.output.iter().cloned().collect();
    let outputs = names(&outputs, plan::usual::VIDEO)?;
    if means.keep.is_some() || means.reuse.is_some() || means.encoder.is_some() {
        return Err(Failure::usage(
            "--keep, --reuse and --encoder are not for a server: it keeps key frames itself, and has its own encoder",
        ));
    }
    if means.ffmpeg.as_deref() != Some("ffmpeg".as_ref()) && means.ffmpeg.is_some() {
        let line = "--ffmpeg is not for a server: it has its own";
        return Err(Failure::usage(line));
    }
    let means = SequenceMeans {
        farm: without_farm(&means.farm)?,
        output: outputs.first().map(PathBuf::from),
        ..means
    };
    let planned = plan::sequence::sequence(&request, &means)?;
    let encoder_options = means.encoder_options.iter().cloned().collect();
    let request = complete_sequence(request, &means, &planned)?;
    Ok(JobRequest {
        outputs,
        picture: None,
        sequence: Some(KnownSequence(request)),
        measure: None,
        channels: Vec::new(),
        compression: None,
        strip_rows: None,
        audit: None,
        encoder_options,
    })
}

/// A request with what its files say: the server has none of them.
fn complete_sequence(
    mut request: SequenceRequest,
    means: &SequenceMeans,
    planned: &ZoomPlan,
) -> Result<SequenceRequest, Failure> {
    if means.location.is_some() {
        let keys = &planned.sequence;
        let is_usual = keys.z0.is_none()
            && keys.skip_error_log2.is_none()
            && keys.escape_radius == plan::usual::ESCAPE_RADIUS;
        if !is_usual {
            return Err(Failure::usage(
                "the location has a start value, an escape radius or a skip error of its own, which a server's zoom has no option for",
            ));
        }
        request.re = Some(keys.re.clone());
        request.iterated.formula = Some(keys.formula.clone());
        request.iterated.julia = keys.julia.clone();
        request.im = Some(keys.im.clone());
        request.to = Some(request.to.unwrap_or_else(|| keys.zoom.clone()));
        request.iterations = Some(keys.iterations);
        request.view_rotate = Some(keys.transform.rotate);
        request.stretch = Some(keys.transform.stretch);
        request.stretch_angle = Some(keys.transform.stretch_angle);
    }
    if means.location.is_some() || means.palette.is_some() {
        let samples = request.colours.samples;
        request.colours = colour_request(planned.colours.clone());
        request.colours.samples = samples;
    }
    Ok(request)
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match &error {
            ClientError::Address(_) | ClientError::Tls(_) => Self::usage(error),
            // A request that cannot be.
            ClientError::Refused { status: 422, .. } => Self::usage(error),
            _ => Self::failed(error),
        }
    }
}

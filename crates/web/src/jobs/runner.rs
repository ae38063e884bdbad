//! What makes jobs: the oldest first, one at a time in process and some at a time on a farm.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pictures::thumbnail;
use render::{CollectError, Progress, RenderError, Stop};
use requests::perform::picture::{Made, picture};
use requests::perform::sequence::sequence;
use requests::{Error, ErrorKind, with_causes};
use tokio::task::JoinSet;
use zoom::ZoomError;
use zoom::sinks::sink::RawStream;

use super::growth::Growth;
use super::queue::{Jobs, Running, remove_folder};
use super::record::{JobState, OutputFile, Record, now};
use crate::limits::{MOST_RUNNING, MOST_SAVED_BYTES, THUMBNAIL_SIDE};

/// How long a job waits that the farm did not answer for.
const AWAY: Duration = Duration::from_secs(5);
/// How long jobs may take to put themselves in order when the server ends.
const FAREWELL: Duration = Duration::from_secs(10);

/// What came of a job.
#[derive(Default)]
struct Outcome {
    iterations: f64,
    workers: Vec<(String, u64)>,
}

impl Jobs {
    /// Makes jobs until `stop` comes; what is under way then is taken up by the next server.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let places = match self.settings.farm.redis.is_some() {
            true => MOST_RUNNING,
            false => 1,
        };
        let mut under_way = JoinSet::new();
        let mut ends = stop.requested();
        loop {
            while under_way.len() < places
                && let Some((job, running)) = self.take(&stop)
            {
                let jobs = Arc::clone(&self);
                under_way.spawn(async move { jobs.make(&job, &running).await });
                self.note();
            }
            let next = self.next_try().unwrap_or_else(|| Instant::now() + AWAY);
            tokio::select! {
                () = self.wake.notified() => {}
                Some(_) = under_way.join_next() => {}
                () = tokio::time::sleep_until(next.into()) => {}
                _ = &mut ends => break,
            }
        }
        self.stop_all();
        let all = async { while under_way.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("jobs did not end in time; the next server goes on with them");
        }
    }

    /// Makes a job, and keeps what became of it.
    async fn make(&self, job: &str, running: &Running) {
        let record = match self.store.get(job) {
            Ok(Some(record)) => record,
            other => {
                let error = other
                    .err()
                    .map_or_else(String::new, |error| error.to_string());
                tracing::error!(%job, %error, "a job cannot be read");
                self.end(job, |_, _| {});
                return;
            }
        };
        let made = self.carry_out(&record, running).await;
        let seconds = running.growth.seconds();
        match made {
            Err(error) if is_away(&error) && !running.stop.is_requested() => {
                let line = with_causes(&error);
                tracing::warn!(%job, error = %line, "the farm does not answer; the job waits");
                self.wait(job, Instant::now() + AWAY, line);
            }
            Ok(outcome) => {
                let outputs = self.outputs(&record);
                self.keep_thumbnail(job, &outputs, &running.growth).await;
                self.end(job, |record, _| {
                    record.state = JobState::Done;
                    record.ended = Some(now());
                    record.seconds += seconds;
                    record.outputs = outputs;
                    record.iterations += outcome.iterations;
                    record.workers = outcome.workers.into_iter().collect();
                });
                remove_folder(&self.work(job));
            }
            Err(error) => {
                let is_stopped = running.stop.is_requested();
                let mut is_gone = false;
                self.end(job, |record, is_cancelled| {
                    record.seconds += seconds;
                    if is_cancelled {
                        record.state = JobState::Cancelled;
                        record.ended = Some(now());
                        is_gone = true;
                    } else if !(is_stopped && error.kind() == ErrorKind::Interrupted) {
                        record.state = JobState::Failed;
                        record.ended = Some(now());
                        record.error =
                            Some(with_causes(failure(&error)).replace(char::is_control, " "));
                    }
                });
                if is_gone {
                    remove_folder(&self.work(job));
                }
            }
        }
    }

    async fn carry_out(&self, record: &Record, running: &Running) -> Result<Outcome, Error> {
        let (folder, work) = (self.folder(), self.work(&record.job));
        let (request, farm) = (&record.request, &self.settings.farm);
        let growth: Arc<Growth> = Arc::clone(&running.growth);
        let stop = &running.stop;
        if let Ok(planned) = request.plan(folder, farm) {
            growth.show(planned.colours().clone());
        }
        if let Some(drawn) = &request.picture {
            let means = request.means(folder, &work, farm);
            let made = picture(drawn.0.clone(), means, &*growth, stop).await?;
            return Ok(match made {
                Made::Places(_) => Outcome::default(),
                Made::Rendered(rendered) => {
                    let report = rendered.report.report;
                    Outcome {
                        iterations: report.iterations_total as f64,
                        workers: report.strips_by_worker(),
                    }
                }
            });
        }
        let Some(shown) = &request.sequence else {
            return Err(Error::Misuse("neither a picture nor a sequence".to_owned()));
        };
        let means = request.sequence_means(folder, &work, farm);
        let raw = RawStream(Box::new(std::io::sink()));
        let progress: Arc<dyn Progress> = growth;
        let made = sequence(shown.0.clone(), means, raw, progress, stop).await?;
        Ok(Outcome {
            iterations: made.report.iterations_total as f64,
            workers: Vec::new(),
        })
    }

    /// The files of a job that is done.
    fn outputs(&self, record: &Record) -> Vec<OutputFile> {
        let file = |name: &String| OutputFile {
            name: name.clone(),
            bytes: std::fs::metadata(self.folder().join(name)).map_or(0, |file| file.len()),
        };
        record.request.outputs.iter().map(file).collect()
    }

    /// Keeps a small picture of the first file that one can be made of, or of what was seen of it: of the largest ones, and of
    /// sequences.
    async fn keep_thumbnail(&self, job: &str, outputs: &[OutputFile], growth: &Growth) {
        let is_picture = |output: &&OutputFile| {
            let extension = Path::new(&output.name).extension();
            let extension = extension.and_then(|extension| extension.to_str());
            let extension = extension.unwrap_or_default().to_ascii_lowercase();
            ["png", "jpg", "jpeg", "webp", "tif", "tiff"].contains(&&*extension)
        };
        let of_file = match outputs.iter().find(is_picture) {
            Some(output) if output.bytes < MOST_SAVED_BYTES => {
                let path = self.folder().join(&output.name);
                let read = tokio::task::spawn_blocking(move || thumbnail(&path, THUMBNAIL_SIDE));
                read.await.ok().and_then(Result::ok)
            }
            _ => None,
        };
        let seen = || growth.grown().as_ref()?.thumbnail(THUMBNAIL_SIDE);
        let Some(png) = of_file.or_else(seen) else {
            return;
        };
        if let Err(error) = self.store.put_thumbnail(job, &png) {
            tracing::warn!(%job, %error, "a small picture of a job could not be kept");
        }
    }
}

/// What failed, without how a command line would go on with it: here that is `retry`.
fn failure(error: &Error) -> &Error {
    match error {
        Error::Within { source, .. } => failure(source),
        error => error,
    }
}

/// Whether a farm did not answer: what may pass.
fn is_away(error: &Error) -> bool {
    let is_queue = match error {
        Error::Queue(_) => true,
        Error::Render(error) | Error::Zoom(ZoomError::Render(error)) => matches!(
            error,
            RenderError::Queue(_) | RenderError::Collect(CollectError::Queue(_))
        ),
        Error::Within { source, .. } => return is_away(source),
        _ => false,
    };
    is_queue && error.kind() == ErrorKind::Failed
}

//! What all requests share.

use std::sync::Arc;

use hyper::StatusCode;
use render::Stop;
use render::tile::TileError;
use render::tile::tiles::TilesError;
use requests::{ErrorKind, with_causes};
use tokio::sync::Semaphore;

use crate::answer::Problem;
use crate::farm::Farm;
use crate::figures::sampler::Sampler;
use crate::guard::check::Policy;
use crate::guard::sessions::Sessions;
use crate::jobs::queue::Jobs;
use crate::jobs::told::Told;
use crate::viewers::{NoPlace, Ticket, Viewers};
use crate::views::places::Views;

/// A server's state.
pub struct App {
    /// What it is known by.
    pub policy: Policy,
    /// Who may come in.
    pub sessions: Sessions,
    /// What computes views.
    pub views: Views,
    /// The farm that is looked at and steered, where there is one.
    pub farm: Option<Arc<Farm>>,
    /// Jobs that are left here, where there is a folder for them.
    pub jobs: Option<Arc<Jobs>>,
    /// What is told of them to all who watch.
    pub told: Told,
    /// Places of those who watch either.
    pub watchers: Arc<Semaphore>,
    /// Places of files that are taken.
    pub files: Semaphore,
    /// Room for large answers that wait to be read, in mebibytes.
    pub unread: Arc<Semaphore>,
    /// Figures over time.
    pub figures: Arc<Sampler>,
    /// What is waited for.
    pub viewers: Arc<Viewers>,
    /// The end of all.
    pub stop: Stop,
}

impl App {
    /// Computes what a request waits for, in a place of its own, on a task that is told to stop when nobody waits any more.
    ///
    /// # Errors
    /// When there is no place, or the work fails.
    pub async fn compute<T, W>(
        &self,
        ticket: Ticket,
        work: impl FnOnce(Stop) -> W + Send,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, Problem>> + Send + 'static,
    {
        let place = ticket.place().await?;
        let work = work(ticket.stop().clone());
        let task = tokio::spawn(async move {
            let done = work.await;
            drop(place);
            done
        });
        let done = tokio::select! {
            done = task => done,
            () = self.stop.requested() => {
                return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the server ends"));
            }
        };
        let done = done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request's work ended by a fault in the program");
            let line = "a fault in the program";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, line))
        });
        ticket.count(done.is_ok());
        done
    }
}

impl From<NoPlace> for Problem {
    fn from(error: NoPlace) -> Self {
        let status = match error {
            NoPlace::Outdated => StatusCode::CONFLICT,
            NoPlace::Full => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error)
    }
}

impl From<requests::Error> for Problem {
    fn from(error: requests::Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Usage => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Interrupted => StatusCode::CONFLICT,
            ErrorKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let is_about_the_request = matches!(error, requests::Error::Locate(_));
        Self::new(
            if is_about_the_request {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                status
            },
            with_causes(&error),
        )
    }
}

impl From<TilesError> for Problem {
    fn from(error: TilesError) -> Self {
        match error {
            TilesError::Tile(TileError::TooLarge(_)) => Self::unfit(error),
            TilesError::Tile(TileError::Render(error)) => requests::Error::from(error).into(),
            TilesError::Ended(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error),
        }
    }
}

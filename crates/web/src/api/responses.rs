//! What any question may be answered instead, for the API's document.

use utoipa::IntoResponses;

use crate::answer::Problem;

/// Why a question is not answered: all that any may be told.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it is what the document says")]
pub enum Problems {
    /// The body is no JSON.
    #[response(status = 400)]
    Malformed(Problem),
    /// From nobody who was let in.
    #[response(status = 401)]
    Stranger(Problem),
    /// From another page.
    #[response(status = 403)]
    Foreign(Problem),
    /// There is nothing of that name.
    #[response(status = 404)]
    Unknown(Problem),
    /// Another method is meant.
    #[response(status = 405)]
    Method(Problem),
    /// The body did not come in time.
    #[response(status = 408)]
    Slow(Problem),
    /// A later view of the same page was asked for, somebody stopped it, or a file of that name is there.
    #[response(status = 409)]
    Outdated(Problem),
    /// The body is too long.
    #[response(status = 413)]
    TooLong(Problem),
    /// The body is of another type.
    #[response(status = 415)]
    Type(Problem),
    /// For another host.
    #[response(status = 421)]
    Host(Problem),
    /// It makes no sense, or is over a limit.
    #[response(status = 422)]
    Unfit(Problem),
    /// Too many jobs wait.
    #[response(status = 429)]
    Many(Problem),
    /// It failed.
    #[response(status = 500)]
    Failed(Problem),
    /// Too many wait, or the server ends.
    #[response(status = 503)]
    Busy(Problem),
    /// There is no room on the server's disk.
    #[response(status = 507)]
    Room(Problem),
}

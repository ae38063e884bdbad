//! What questions about jobs share: whether there are any, queries, and what waits for the disk.

use std::sync::Arc;

use hyper::StatusCode;

use crate::answer::Problem;
use crate::app::App;
use crate::jobs::queue::Jobs;

/// The jobs of this server.
pub fn jobs(app: &App) -> Result<&Arc<Jobs>, Problem> {
    let none = || {
        let line = "this server takes no jobs: submitter serve --output FOLDER";
        Problem::new(StatusCode::NOT_FOUND, line)
    };
    app.jobs.as_ref().ok_or_else(none)
}

/// Does something that waits for the disk.
pub async fn aside<T: Send + 'static>(
    jobs: &Arc<Jobs>,
    work: impl FnOnce(&Jobs) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let jobs = Arc::clone(jobs);
    let done = tokio::task::spawn_blocking(move || work(&jobs)).await;
    done.unwrap_or_else(|error| Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error)))
}

/// The parts of a query, `name=text&…`, spelled out.
///
/// # Errors
/// When one has another name than these, or is spelled wrongly.
pub fn query(query: Option<&str>, names: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let parts = query.unwrap_or_default().split('&');
    let parts = parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, text) = part.split_once('=').unwrap_or((part, ""));
        if !names.contains(&name) {
            return Err(Problem::unfit(format!("a query has {}", names.join(", "))));
        }
        let text = decoded(text).ok_or_else(|| Problem::unfit("a query that is no text"))?;
        Ok((name.to_owned(), text))
    });
    parts.collect()
}

/// A text in which bytes stand as `%` and two digits, and spaces as `+`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digit = |byte: u8| char::from(byte).to_digit(16);
                (digit(digits[0])? * 16 + digit(digits[1])?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// The job that a query names.
///
/// # Errors
/// When it names something else.
pub fn job_of(text: Option<&str>) -> Result<String, Problem> {
    let parts = query(text, &["id"])?;
    let job = parts.into_iter().next().map(|(_, job)| job);
    job.ok_or_else(|| Problem::unfit("say which job: ?id=JOB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_spelled_out_and_known() {
        let read = |text| query(Some(text), &["id", "name"]).ok();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            read("id=a%2Fb+c&name=%C3%A4"),
            Some(vec![pair("id", "a/b c"), pair("name", "ä")])
        );
        assert_eq!(read(""), Some(Vec::new()));
        for wrong in ["other=1", "id=%", "id=%2", "id=%zz", "id=%ff"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

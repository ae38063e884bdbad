//! What a submitter reads of one job: announcements, buffers and dead letters.

use std::collections::HashSet;
use std::time::Duration;

use ::redis::{Pipeline, Value, cmd, from_redis_value};
use fractal::Strip;

use super::job::{Job, Reading, fetch_count};
use crate::order::Issue;
use crate::protocol::attempts::{self, FailureSource};
use crate::protocol::entry::Field;
use crate::protocol::{blob, entry, lines, sealed, spec};
use crate::queue::{Collected, QueueError, SAMPLED_FAILURES};
use crate::redis::connect::{CONTROL_TIMEOUT, Server, bulk_timeout};
use crate::redis::lifetimes::millis;
use crate::redis::{reply, scripts};

/// Longest wait of one read on the server; a dropped call holds up the next one no longer than this.
const BLOCK_SLICE: Duration = Duration::from_secs(1);
/// Most processes that are remembered as silent, each counted once.
const MAX_SILENT: usize = 1024;

/// What keeps the server from answering for now, where any of its answers says so: that a script keeps it busy, that it
/// starts, that it is no master any more.
fn in_the_way(answers: &[Value], server: &Server) -> Option<QueueError> {
    let mut errors = answers.iter().filter_map(|answer| match answer {
        Value::ServerError(error) => Some(server.error(&error.clone().into())),
        _ => None,
    });
    errors.find(|error| matches!(error, QueueError::Unreachable { .. }))
}

impl Job {
    /// Removes from the server what was fetched.
    pub(super) async fn remove_fetched(&self, reading: &mut Reading) -> Result<(), QueueError> {
        let keys = &self.keys;
        if !reading.taken.is_empty() {
            let results: Vec<String> = (reading.taken.iter())
                .map(|(index, _)| keys.result(*index))
                .collect();
            let mut all = vec![keys.got.as_str(), keys.done.as_str(), keys.why.as_str()];
            all.extend(results.iter().map(String::as_str));
            let mut call = scripts::TAKE.call(&all).arg(millis(self.lifetime()));
            for (index, announcement) in &reading.taken {
                call = call.arg(index).arg(announcement);
            }
            self.link.script::<i64>(&call).await?;
            reading.taken.clear();
        }
        while let Some((index, announcement)) = reading.refused.last() {
            let result = keys.result(*index);
            let call = (scripts::REJECT.call(&[&keys.bits, &keys.got, &keys.done, &result]))
                .arg(index)
                .arg(announcement);
            self.link.script::<i64>(&call).await?;
            reading.refused.pop();
        }
        for (stream, read) in [
            (&keys.done, &mut reading.read_done),
            (&keys.dead, &mut reading.read_dead),
        ] {
            if !read.is_empty() {
                let mut remove = cmd("XDEL");
                remove.arg(stream).arg(&*read);
                self.link.query::<i64>(&remove, CONTROL_TIMEOUT).await?;
                read.clear();
            }
        }
        Ok(())
    }

    /// Reads announcements and dead letters, waiting up to `wait`, and fetches what they announce.
    pub(super) async fn read_new(
        &self,
        reading: &mut Reading,
        wait: Duration,
    ) -> Result<(), QueueError> {
        let mut ask = cmd("XREAD");
        ask.arg("COUNT").arg(fetch_count(&self.spec));
        let wait = wait.min(BLOCK_SLICE);
        if !wait.is_zero() {
            // 0 would mean for ever.
            ask.arg("BLOCK").arg(millis(wait).max(1));
        }
        ask.arg("STREAMS").arg(&self.keys.done).arg(&self.keys.dead);
        // From their beginnings: what was read is removed before more is read. To go on from the last name that was
        // read would pass over new entries with older names, as a server has them whose clock was set back.
        ask.arg("0-0").arg("0-0");
        let answer = self.link.query(&ask, CONTROL_TIMEOUT + 2 * wait).await?;
        let mut announced = Vec::new();
        let mut dead = Vec::new();
        for (stream, entries) in reply::streams(answer) {
            if stream == self.keys.done {
                announced = entries;
            } else if stream == self.keys.dead {
                dead = entries;
            }
        }
        let (mut strips, mut malformed) = (Vec::new(), Vec::new());
        for (id, fields) in announced {
            match entry::strip(&fields, self.spec.strips) {
                Ok((strip, issue)) => strips.push((id, strip, issue)),
                Err(error) => malformed.push((id, error)),
            }
        }
        // The last await: whatever is noted from here on is noted together.
        self.fetch(reading, strips).await?;
        for (id, error) in malformed {
            reading.read_done.push(id);
            reading.ready.push(Collected::Rejected {
                strip: None,
                reason: format!("an announcement: {error}"),
            });
        }
        for (id, fields) in dead {
            reading.ready.push(self.dead_letter(&fields));
            reading.read_dead.push(id);
        }
        Ok(())
    }

    fn dead_letter(&self, fields: &[Field]) -> Collected {
        match entry::strip(fields, self.spec.strips) {
            Ok((strip, issue)) => Collected::Dead {
                strip,
                issue,
                reasons: (entry::reasons(fields).iter())
                    .map(|line| sealed::bare_reason(line).to_owned())
                    .collect(),
            },
            Err(error) => Collected::Rejected {
                strip: None,
                reason: format!("a dead letter: {error}"),
            },
        }
    }

    /// Fetches and checks announced buffers.
    async fn fetch(
        &self,
        reading: &mut Reading,
        strips: Vec<(String, Strip, Issue)>,
    ) -> Result<(), QueueError> {
        if strips.is_empty() {
            return Ok(());
        }
        let mut ask = Pipeline::with_capacity(strips.len());
        let mut most = 0;
        for (_, strip, issue) in &strips {
            // One byte over the limit, so that an oversized buffer is seen to be one without being read.
            let limit = blob::MAX_HEADER_BYTES as u64 + spec::strip_bytes(&self.spec, strip.rows);
            let result = self.keys.result(issue.slot(*strip, self.spec.strips));
            ask.cmd("GETRANGE").arg(result).arg(0).arg(limit);
            most += limit;
        }
        let answers = self.link.pipeline(&ask, bulk_timeout(most)).await?;
        if let Some(error) = in_the_way(&answers, self.link.server()) {
            // Nothing is wrong with the buffers: as if nothing had been read.
            return Err(error);
        }
        let key = self.link.server().farm_key();
        let sealer = key.map(|key| blob::Sealer::new(key, &self.spec));
        let mut again = Vec::new();
        let first = reading.ready.len();
        let (taken_before, refused_before) = (reading.taken.len(), reading.refused.len());
        for ((id, strip, issue), answer) in strips.into_iter().zip(answers) {
            let slot = issue.slot(strip, self.spec.strips);
            let read = answer
                .extract_error()
                .map_err(|error| error.to_string())
                .and_then(|value| match value {
                    Value::BulkString(bytes) if !bytes.is_empty() => {
                        let spare = reading.spares.take();
                        let sealer = sealer.as_ref().map(|sealer| (sealer, issue));
                        blob::open(&bytes, &self.spec, strip, spare, sealer)
                            .map_err(|error| error.to_string())
                    }
                    _ => Err("an announced result is not there".to_owned()),
                });
            match read {
                Ok(decoded) => {
                    if decoded.attempt > 1 {
                        again.push((reading.ready.len(), slot));
                    }
                    reading.taken.push((slot, id));
                    reading.ready.push(Collected::Strip {
                        buffer: reading.spares.lend(decoded.buffer),
                        worker: decoded.worker,
                        attempt: decoded.attempt,
                        issue,
                        failed_workers: Vec::new(),
                    });
                }
                Err(reason) => {
                    reading.refused.push((slot, id));
                    // An audit that cannot be read is asked for again where it is missed.
                    reading.ready.push(Collected::Rejected {
                        strip: (issue == Issue::Render).then_some(strip),
                        reason,
                    });
                }
            }
        }
        if !again.is_empty()
            && let Err(error) = self.note_failures(reading, again).await
        {
            // As if nothing had been read: it will be again.
            reading.ready.truncate(first);
            reading.taken.truncate(taken_before);
            reading.refused.truncate(refused_before);
            return Err(error);
        }
        Ok(())
    }

    /// Why some strips failed, as their workers said.
    pub(super) async fn failures(&self) -> Result<Vec<String>, QueueError> {
        let mut ask = cmd("HRANDFIELD");
        ask.arg(&self.keys.why)
            .arg(SAMPLED_FAILURES)
            .arg("WITHVALUES");
        let found: Vec<(u32, String)> = self.link.query(&ask, CONTROL_TIMEOUT).await?;
        let mut reasons = Vec::new();
        for (slot, text) in &found {
            for line in text.lines().take(attempts::MAX_REASONS) {
                reasons.extend(self.reason_in(line, *slot).map(lines::reason_line));
            }
        }
        Ok(reasons)
    }

    /// The reason in a line that was kept of a slot; `None` where the farm has a key and the line no seal of it.
    fn reason_in<'a>(&self, line: &'a str, slot: u32) -> Option<&'a str> {
        match self.link.server().farm_key() {
            Some(key) => sealed::unsealed(line, key, &self.spec.id, slot),
            None => Some(line),
        }
    }

    /// Notes who failed at strips that came in the end: (place among the ready ones, slot).
    async fn note_failures(
        &self,
        reading: &mut Reading,
        again: Vec<(usize, u32)>,
    ) -> Result<(), QueueError> {
        let mut ask = Pipeline::with_capacity(again.len());
        for (_, slot) in &again {
            ask.cmd("HGET").arg(&self.keys.why).arg(*slot);
        }
        let answers = self.link.pipeline(&ask, CONTROL_TIMEOUT).await?;
        if let Some(error) = in_the_way(&answers, self.link.server()) {
            return Err(error);
        }
        let has_key = self.link.server().farm_key().is_some();
        for ((place, slot), answer) in again.into_iter().zip(answers) {
            let text: Option<String> = from_redis_value(answer).ok().flatten();
            let mut names = Vec::new();
            let mut known = HashSet::new();
            let text = text.unwrap_or_default();
            for line in text.lines().take(attempts::MAX_REASONS) {
                // On a farm with a key whoever has none reports no failure of others: neither in words, nor by repeating what another
                // said, nor by taking a strip in somebody's name and falling silent.
                let reason = self.reason_in(line, slot);
                let reason = reason.filter(|_| !has_key || known.insert(line));
                match reason.and_then(attempts::failure_source) {
                    Some(FailureSource::Worker(name)) => names.push(lines::worker_name(name)),
                    // A process that ends with several strips in hand failed once.
                    Some(FailureSource::Silent(process))
                        if reading.silent.insert(process.to_owned()) =>
                    {
                        names.push(lines::worker_name(lines::worker_of(process)));
                    }
                    Some(FailureSource::Silent(_)) | None => {}
                }
            }
            if reading.silent.len() > MAX_SILENT {
                reading.silent.clear();
            }
            if let Some(Collected::Strip { failed_workers, .. }) = reading.ready.get_mut(place) {
                *failed_workers = names;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_in_the_way_is_no_buffer_that_is_wrong() {
        let server = Server::parse(&"redis://127.0.0.1".into()).unwrap();
        let says = |lines: [&str; 2]| {
            let answers = lines.map(|line| ::redis::parse_redis_value(line.as_bytes()).unwrap());
            in_the_way(&answers, &server).map(|error| error.to_string())
        };
        let buffer = "$2\r\nab\r\n";
        assert_eq!(says([buffer, "$-1\r\n"]), None);
        // Something else lies under the result's name.
        assert_eq!(says([buffer, "-WRONGTYPE it is a list\r\n"]), None);
        for word in ["BUSY", "MASTERDOWN", "LOADING"] {
            let said = says([buffer, &format!("-{word} for now\r\n")]);
            assert!(said.is_some_and(|said| said.contains(word)), "{word}");
        }
    }
}

//! Hours of the day in which a worker works.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::ZonedDateTime;
use jiff::civil::Time;

/// How often the clock is looked at: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(5);

/// From a time of the day until another one, which may be of the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    to: Time,
}

/// What are no hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hours are two different times of the day, such as 20:00-07:00")]
pub struct HoursError;

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let (from, to) = text.split_once('-').ok_or(HoursError)?;
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(HoursError);
        }
        Ok(Self { from, to })
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [self.from, self.to].map(|time| (time.hour(), time.minute()));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, to.0, to.1)
    }
}

/// `H:MM` or `HH:MM`.
fn time(text: &str) -> Result<Time, HoursError> {
    let (hour, minute) = text.trim().split_once(':').ok_or(HoursError)?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        let is_plain = digits.contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        text.parse::<i8>()
            .ok()
            .filter(|_| is_plain)
            .ok_or(HoursError)
    };
    let (hour, minute) = (number(hour, 1..=2)?, number(minute, 2..=2)?);
    Time::new(hour, minute, 0, 0).map_err(|_| HoursError)
}

impl Hours {
    /// Whether `time` is among them; their end is not.
    fn contain(&self, time: Time) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }

    /// Whether they are now, by this machine's clock in its own zone.
    #[must_use]
    pub fn are_now(&self) -> bool {
        self.contain(ZonedDateTime::now().time())
    }

    /// Waits until they begin, or end.
    pub async fn until(&self, are_now: bool) {
        while self.are_now() != are_now {
            tokio::time::sleep(LOOK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i8, minute: i8) -> Time {
        Time::new(hour, minute, 0, 0).unwrap()
    }

    #[test]
    fn hours_may_pass_midnight() {
        let night: Hours = "20:00-07:00".parse().unwrap();
        for (time, works) in [
            (at(20, 0), true),
            (at(23, 59), true),
            (at(0, 0), true),
            (at(6, 59), true),
            (at(7, 0), false),
            (at(19, 59), false),
        ] {
            assert_eq!(night.contain(time), works, "{time}");
        }
        let day: Hours = "9:30-17:00".parse().unwrap();
        assert!(day.contain(at(9, 30)) && !day.contain(at(17, 0)) && !day.contain(at(0, 0)));
        assert_eq!(day.to_string(), "09:30-17:00");
    }

    #[test]
    fn other_texts_are_refused() {
        for wrong in [
            "",
            "20:00",
            "20-7",
            "20:00-20:00",
            "24:00-07:00",
            "20:60-07:00",
            "20:0-07:00",
            "-1:00-07:00",
            "20:00-07:00-08:00",
            "+2:00-07:00",
        ] {
            assert_eq!(wrong.parse::<Hours>(), Err(HoursError), "{wrong}");
        }
    }
}

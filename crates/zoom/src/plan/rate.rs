//! Frames a second: a number, or one whole number over another, as broadcasters have them.

use std::fmt;
use std::str::FromStr;

/// Largest whole number of a rate that is a fraction.
const MOST: u32 = 1_000_000_000;

/// So many frames a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    frames: f64,
    /// The seconds that they are in; a whole number.
    seconds: u32,
}

impl Rate {
    /// As a number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.frames / f64::from(self.seconds)
    }

    /// Half as many.
    #[must_use]
    pub fn halved(self) -> Self {
        match self.seconds {
            1 => Self {
                frames: self.frames / 2.0,
                ..self
            },
            seconds => Self {
                seconds: 2 * seconds,
                ..self
            },
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give a number, or two whole ones like 30000/1001".to_owned();
        let (frames, seconds) = match text.split_once('/') {
            None => (text.parse().map_err(|_| wrong())?, 1),
            Some((frames, seconds)) => {
                let whole = |text: &str| text.parse().ok().filter(|n: &u32| *n <= MOST);
                let (frames, seconds) = (whole(frames), whole(seconds).filter(|n| *n > 0));
                let (frames, seconds) = frames.zip(seconds).ok_or_else(wrong)?;
                (f64::from(frames), seconds)
            }
        };
        Ok(Self { frames, seconds })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(f, "{}", self.frames),
            seconds => write!(f, "{}/{seconds}", self.frames),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_numbers_or_fractions() {
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        for text in ["30", "29.97", "30000/1001", "24000/1001"] {
            assert_eq!(rate(text).to_string(), text);
        }
        assert_eq!(rate("30000/1001").value(), 30000.0 / 1001.0);
        assert_eq!(rate("30000/1001").halved().to_string(), "30000/2002");
        assert_eq!(rate("25").halved().to_string(), "12.5");
        for wrong in [
            "",
            "x",
            "30/0",
            "30/1.5",
            "3e4/1001",
            "/2",
            "2/",
            "1/2/3",
            "9999999999/3",
        ] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }
}

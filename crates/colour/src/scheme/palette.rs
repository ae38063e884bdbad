//! Palettes: by name, or by their stops.

use std::fmt;
use std::str::FromStr;

use colorgrad::{Gradient, preset};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use super::blend::Blend;
use super::classics::CLASSICS;
use super::rgb::Rgb;
use super::stops::{Stops, StopsError};

/// A palette; as text its name or its stops.
#[derive(Clone, Debug, PartialEq, SerializeDisplay, DeserializeFromStr)]
pub struct Palette(Colours);

#[derive(Clone, Debug, PartialEq)]
enum Colours {
    /// One of [`PRESETS`] or [`CLASSICS`].
    Named(&'static str),
    Stops(Stops),
}

/// A palette of the library: its name, its colours, and whether it closes.
type Preset = (&'static str, fn() -> Box<dyn Gradient>, bool);

/// Palettes that the library has.
const PRESETS: [Preset; 10] = [
    ("plasma", || Box::new(preset::plasma()), false),
    ("viridis", || Box::new(preset::viridis()), false),
    ("magma", || Box::new(preset::magma()), false),
    ("inferno", || Box::new(preset::inferno()), false),
    ("cividis", || Box::new(preset::cividis()), false),
    ("turbo", || Box::new(preset::turbo()), false),
    ("cubehelix", || Box::new(preset::cubehelix_default()), false),
    ("spectral", || Box::new(preset::spectral()), false),
    ("rainbow", || Box::new(preset::rainbow()), true),
    ("sinebow", || Box::new(preset::sinebow()), true),
];

/// Places of a palette that are told apart where it is written for others: as many as Kalles Fraktaler has.
const PLACES: usize = 1024;

/// Why a text is no palette.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaletteError {
    /// Neither a name nor a list.
    #[error("no palette has that name; there are {}", names().collect::<Vec<_>>().join(", "))]
    Name,
    /// A list that is none.
    #[error(transparent)]
    Stops(#[from] StopsError),
}

/// The names of all palettes.
pub fn names() -> impl Iterator<Item = &'static str> {
    let presets = PRESETS.iter().map(|(name, ..)| *name);
    presets.chain(CLASSICS.iter().map(|(name, _)| *name))
}

impl Palette {
    /// The palette of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = names().find(|known| *known == name)?;
        Some(Self(Colours::Named(name)))
    }

    /// The palette with these stops.
    #[must_use]
    pub fn of(stops: Stops) -> Self {
        Self(Colours::Stops(stops))
    }

    /// Colours one after another that go round, at equal distances.
    ///
    /// # Errors
    /// When there are none or too many.
    pub fn cyclic(colours: &[Rgb], smooth: bool, blend: Blend) -> Result<Self, StopsError> {
        let share = 100.0 / colours.len() as f32;
        let stops = colours.iter().enumerate();
        let stops = stops.map(|(index, colour)| (index as f32 * share, *colour));
        Stops::new(stops.collect(), true, smooth, blend).map(Self::of)
    }

    /// Colours at equal distances that are this palette where they go round, mixed in sRGB: as few as show it in
    /// [`PLACES`] places, of which no more are looked at.
    #[must_use]
    pub fn in_equal_parts(&self) -> Vec<Rgb> {
        let (gradient, _) = self.gradient();
        let at = |gradient: &dyn Gradient, count: usize| -> Vec<Rgb> {
            let places = (0..count).map(|place| place as f32 / count as f32);
            (places.map(|place| Rgb::nearest(&gradient.at(place).clamp()))).collect()
        };
        let exact = at(&*gradient, PLACES);
        let shows = |list: &[Rgb]| {
            Self::cyclic(list, false, Blend::Srgb).is_ok_and(|few| {
                let seen = at(&*few.gradient().0, PLACES);
                let is_near = |(a, b): (&Rgb, &Rgb)| (0..3).all(|i| a.0[i].abs_diff(b.0[i]) <= 2);
                seen.iter().zip(&exact).all(is_near)
            })
        };
        let stops = match &self.0 {
            Colours::Stops(stops) => stops.count().min(PLACES),
            Colours::Named(_) => PLACES,
        };
        let counts = [stops, 32, 64, 128, 256, 512];
        let mut lists = counts.map(|count| at(&*gradient, count)).into_iter();
        lists.find(|list| shows(list)).unwrap_or(exact)
    }

    /// The same colours, mixed elsewhere; `None` for one that is a formula and not made of stops.
    #[must_use]
    pub fn blended(&self, blend: Blend) -> Option<Self> {
        let stops = match &self.0 {
            Colours::Stops(stops) => stops.clone(),
            Colours::Named(name) => classic(name)?,
        };
        Some(Self::of(stops.blended(blend)))
    }

    /// Red, green and blue in sRGB, 0 to 1, at the start of each of `steps` equal steps and at the end of the last, and
    /// whether its end goes over into its beginning: what painters lay out.
    #[must_use]
    pub fn colours(&self, steps: u32) -> (Vec<[f32; 3]>, bool) {
        let (gradient, closes) = self.gradient();
        let at = |step: u32| {
            let place = f64::from(step) / f64::from(steps.max(1));
            let [r, g, b, _] = gradient.at(place as f32).clamp().to_array();
            [r, g, b].map(|value| if value.is_finite() { value } else { 0.0 })
        };
        ((0..=steps).map(at).collect(), closes)
    }

    /// Its colours as a function of 0 to 1, and whether its end goes over into its beginning.
    pub(crate) fn gradient(&self) -> (Box<dyn Gradient>, bool) {
        match &self.0 {
            Colours::Stops(stops) => (stops.gradient(), stops.closes()),
            Colours::Named(name) => {
                if let Some((_, make, closes)) = PRESETS.iter().find(|(known, ..)| known == name) {
                    return (make(), *closes);
                }
                let stops = classic(name).unwrap_or_else(|| unreachable!("palette {name}"));
                (stops.gradient(), stops.closes())
            }
        }
    }
}

/// The stops of one of [`CLASSICS`].
fn classic(name: &str) -> Option<Stops> {
    let (_, stops) = CLASSICS.iter().find(|(known, _)| *known == name)?;
    // Ours, and a test reads them all.
    let stops = stops.parse();
    Some(stops.unwrap_or_else(|error| unreachable!("palette {name}: {error}")))
}

impl FromStr for Palette {
    type Err = PaletteError;

    fn from_str(text: &str) -> Result<Self, PaletteError> {
        let text = text.trim();
        if let Some(named) = Self::named(&text.to_ascii_lowercase()) {
            return Ok(named);
        }
        if !text.contains([',', '#', '(']) {
            return Err(PaletteError::Name);
        }
        Ok(Self(Colours::Stops(text.parse()?)))
    }
}

impl fmt::Display for Palette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Colours::Named(name) => f.write_str(name),
            Colours::Stops(stops) => stops.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_palette_that_closes_as_it_says() {
        for name in names() {
            let palette: Palette = name.parse().unwrap();
            assert_eq!(palette.to_string(), name);
            let (gradient, closes) = palette.gradient();
            let ends = [0.0, 1.0].map(|at| gradient.at(at).to_rgba8());
            let gap = (0..3).map(|i| ends[0][i].abs_diff(ends[1][i])).max();
            assert_eq!(gap.unwrap() <= 2, closes, "{name}: {ends:?}");
        }
        assert!(names().count() >= 16);
        let unknown = "plasm".parse::<Palette>().unwrap_err().to_string();
        assert!(
            unknown.contains("plasma") && !unknown.contains('\n'),
            "{unknown}"
        );
    }

    #[test]
    fn palettes_of_stops_are_mixed_as_asked_for() {
        let classic: Palette = "classic".parse().unwrap();
        let srgb = classic.blended(Blend::Srgb).unwrap();
        let half = |palette: &Palette| palette.gradient().0.at(0.93).to_rgba8();
        assert_ne!(half(&srgb), half(&classic));
        let same = srgb.blended(Blend::Oklab).unwrap();
        assert_eq!(half(&same), half(&classic));
        assert_eq!(Palette::named("plasma").unwrap().blended(Blend::Srgb), None);
        let round = Palette::cyclic(&[Rgb([0; 3]), Rgb([255; 3])], false, Blend::Srgb).unwrap();
        assert_eq!(round.to_string(), "cyclic: #000000 0%, #ffffff 50%");
        assert!(Palette::cyclic(&[], false, Blend::Srgb).is_err());
    }

    #[test]
    fn palettes_in_equal_parts_are_what_they_were() {
        let list = [Rgb([0, 0, 0]), Rgb([255, 0, 0]), Rgb([7, 90, 255])];
        let round = Palette::cyclic(&list, false, Blend::Srgb).unwrap();
        assert_eq!(round.in_equal_parts(), list);
        let classic = Palette::named("classic").unwrap().in_equal_parts();
        assert!(classic.len() > 100, "{}", classic.len());
        assert_eq!(classic[0], Rgb([0, 7, 100]));
        // Its end is far from its beginning, which no mixing may show.
        let plasma = Palette::named("plasma").unwrap().in_equal_parts();
        assert_eq!(plasma.len(), PLACES);
        assert_eq!(plasma[0], Rgb([13, 8, 135]));
    }

    #[test]
    fn stops_come_back_from_their_text() {
        for text in [
            "gold, 35%, #f00",
            "cyclic smooth: #000764 0%, rgb(32 107 203) 16.5%, white 42%",
            "LINEAR-GRADIENT(in oklch longer hue, red -20%, 10%, #00F8 120%)",
        ] {
            let palette: Palette = text.parse().unwrap();
            let again: Palette = palette.to_string().parse().unwrap();
            assert_eq!(palette, again, "{text}");
            let json = serde_json::to_string(&palette).unwrap();
            assert_eq!(serde_json::from_str::<Palette>(&json).unwrap(), palette);
        }
    }
}

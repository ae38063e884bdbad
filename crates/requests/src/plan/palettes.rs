//! Palettes in files. A file is read whole, under a limit, and whatever is wrong with it is one line that says where.

use std::path::{Path, PathBuf};

use colour::{GradientFormat, MOST_FILE_BYTES, Palette, PaletteError, gradient_names};
use disk::limited::{ReadError, read_limited};

/// Why there is no palette, in one line.
#[derive(Debug, thiserror::Error)]
pub enum GradientError {
    /// Neither a name, nor a list, nor a file.
    #[error("--palette {text}: {reason}, and there is no such file")]
    Unknown {
        /// As asked for.
        text: String,
        /// What it is not.
        reason: PaletteError,
    },
    /// It cannot be read.
    #[error("--palette {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It is over [`MOST_FILE_BYTES`].
    #[error("--palette {}: more than {MOST_FILE_BYTES} bytes, which is over the limit", .0.display())]
    TooLong(PathBuf),
    /// Its extension says nothing.
    #[error("--palette {}: a palette's file is .ugr, .map, .ggr or .css", .0.display())]
    Extension(PathBuf),
    /// It is something else.
    #[error("--palette {}: {reason}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// The palette of a name, a list of CSS stops or a file; `FILE.ugr:NAME` is one of several in a file.
///
/// # Errors
/// See [`GradientError`].
pub fn palette_of(text: &str) -> Result<Palette, GradientError> {
    let unknown = match text.parse::<Palette>() {
        Ok(palette) => return Ok(palette),
        Err(reason) => reason,
    };
    const END: &str = ".ugr";
    let (path, name) = match text.to_ascii_lowercase().rfind(&format!("{END}:")) {
        Some(at) => (
            PathBuf::from(&text[..at + END.len()]),
            Some(&text[at + END.len() + 1..]),
        ),
        None => (PathBuf::from(text), None),
    };
    // What looks like a list and is none.
    if let PaletteError::Stops(_) = unknown
        && !path.exists()
    {
        return Err(GradientError::Malformed {
            path,
            reason: unknown.to_string(),
        });
    }
    read(&path, name).map_err(|error| match error {
        GradientError::Unreadable { reason, .. }
            if reason.kind() == std::io::ErrorKind::NotFound && path.extension().is_none() =>
        {
            let text = text.to_owned();
            let reason = unknown;
            GradientError::Unknown { text, reason }
        }
        other => other,
    })
}

/// The names of the gradients in a file of Ultra Fractal's; `None` for a file that is none by its extension.
///
/// # Errors
/// When it cannot be read, or is broken.
pub fn names_in(path: &Path) -> Result<Option<Vec<String>>, GradientError> {
    if !(path.extension()).is_some_and(|extension| extension.eq_ignore_ascii_case("ugr")) {
        return Ok(None);
    }
    let names = gradient_names(&text_of(path)?).map(Some);
    names.map_err(|reason| {
        let path = path.to_owned();
        GradientError::Malformed { path, reason }
    })
}

/// A file's text. Titles and comments may be in any old encoding; what counts is ASCII.
fn text_of(path: &Path) -> Result<String, GradientError> {
    let unreadable = |reason| GradientError::Unreadable {
        path: path.to_owned(),
        reason,
    };
    let bytes = read_limited(path, MOST_FILE_BYTES).map_err(|error| match error {
        ReadError::TooLong(_) => GradientError::TooLong(path.to_owned()),
        other => unreadable(other.into()),
    })?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn read(path: &Path, name: Option<&str>) -> Result<Palette, GradientError> {
    let text = text_of(path)?;
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let format = GradientFormat::of_extension(&extension)
        .ok_or_else(|| GradientError::Extension(path.to_owned()))?;
    format.read(&text, name).map_err(|reason| {
        let path = path.to_owned();
        GradientError::Malformed { path, reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UGR: &str = "First {\ngradient:\n  index=0 color=255\n  index=200 color=65280\n}\nSecond One {\ngradient:\n  index=0 color=16711680\n}\n";
    const GGR: &str = "GIMP Gradient\nName: x\n1\n0 0.5 1 0 0 0 1 1 1 1 1 0 0\n";

    #[test]
    fn palettes_come_from_names_lists_and_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let says = |text: &str| {
            let error = palette_of(text).unwrap_err().to_string();
            assert!(!error.contains('\n'), "{error}");
            error
        };
        let ugr = write("x.ugr", UGR);
        let second = palette_of(&format!("{ugr}:Second One")).unwrap();
        assert_ne!(palette_of(&ugr).unwrap(), second);
        assert_eq!(second.to_string().parse::<Palette>().unwrap(), second);
        assert_eq!(
            palette_of(&format!("{}:SECOND ONE", write("y.UGR", UGR))).unwrap(),
            second
        );
        assert_eq!(
            names_in(Path::new(&ugr)).unwrap().unwrap(),
            ["First", "Second One"]
        );
        assert_eq!(names_in(Path::new("x.map")).unwrap(), None);
        palette_of(&write("x.MAP", "1 2 3\n4 5 6")).unwrap();
        palette_of(&write("x.ggr", GGR)).unwrap();
        let css = palette_of(&write("x.css", "gold, 35%, #f00;\n")).unwrap();
        assert_eq!(css, palette_of("gold, 35%, #f00").unwrap());
        assert_eq!(palette_of("Plasma").unwrap().to_string(), "plasma");
        assert!(says("plasmma").contains("plasma, viridis"));
        assert!(says("gold, rde").contains("'rde'"));
        assert!(says(&write("x.png", "")).contains(".ugr, .map, .ggr or .css"));
        assert!(says(&format!("{ugr}x")).contains("x.ugrx"));
        assert!(says(&write("y.ggr", "\u{0}")).contains("y.ggr: line 3"));
        let long = write("z.map", &"1 2 3\n".repeat(1 << 20));
        assert!(says(&long).contains("over the limit"));
    }
}

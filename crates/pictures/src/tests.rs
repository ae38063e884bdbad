//! Pictures in every format that is encoded whole: what they say, small ones of them, and that their bytes are the same.

use std::fs::File;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use colour::{Basis, Depth, Rows, Samples, Scheme};
use fractal::Settling;
use rayon::ThreadPoolBuilder;

use crate::open::{OpenedFile, PictureFormat, contents_of};
use crate::whole::WholePicture;
use crate::*;

const FORMATS: [(ColourFormat, Depth); 6] = [
    (ColourFormat::Png, Depth::Eight),
    (ColourFormat::Png, Depth::Sixteen),
    (ColourFormat::Image(ImageFormat::Jpeg), Depth::Eight),
    (ColourFormat::Image(ImageFormat::WebP), Depth::Eight),
    (ColourFormat::Image(ImageFormat::Tiff), Depth::Eight),
    (ColourFormat::Image(ImageFormat::Tiff), Depth::Sixteen),
];

/// Values that rise to the right and downwards, a row at a time.
struct Slope {
    rows: std::ops::Range<u32>,
    values: Vec<f32>,
}

impl Slope {
    fn new((width, height): (u32, u32)) -> Self {
        let values = (0..width).map(|column| column as f32).collect();
        let rows = 0..height;
        Self { rows, values }
    }
}

impl RowSource for Slope {
    fn next_rows(&mut self) -> std::io::Result<Option<Rows<'_>>> {
        self.values.iter_mut().for_each(|value| *value += 1.0);
        let rows = Rows {
            values: &self.values,
            smooth: None,
        };
        Ok(self.rows.next().map(|_| rows))
    }
}

/// The bytes of a picture of so many columns and rows.
fn written(format: ColourFormat, depth: Depth, size: (u32, u32), texts: Option<&Texts>) -> Vec<u8> {
    let colours = Scheme {
        depth,
        ..Scheme::default()
    };
    let picture = ColourPicture {
        format,
        samples: size,
        colours: &colours,
        range: (1.0, f64::from(size.0 + size.1)),
        compression: Compression::Fast,
        texts,
        folder: Path::new("."),
    };
    let mut out = Cursor::new(Vec::new());
    picture.write(&mut out, &mut Slope::new(size)).unwrap();
    out.into_inner()
}

fn saved(folder: &tempfile::TempDir, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join("picture");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn texts_of(path: &Path) -> Vec<(String, String)> {
    OpenedFile::open(path).unwrap().texts().unwrap()
}

#[test]
fn all_that_is_written_is_looked_through() {
    let folder = tempfile::tempdir().unwrap();
    for (format, depth) in FORMATS {
        let path = saved(&folder, &written(format, depth, (60, 40), None));
        let kind = OpenedFile::open(&path).unwrap().picture();
        let contents = contents_of(&path, kind).unwrap().unwrap();
        assert_eq!((contents.width, contents.height), (60, 40), "{format:?}");
        let bits = format!("{} bits", u8::from(depth));
        let kinds = contents.channels.iter().map(|channel| &channel.kind);
        assert!(kinds.eq([&bits; 3]), "{format:?}: {contents:?}");
    }
}

#[test]
fn texts_are_those_that_were_given_from_files_and_from_pipes() {
    let folder = tempfile::tempdir().unwrap();
    let texts = Texts {
        own: Some(("Mandelfarm", "re = \"0\"\n".to_owned())),
        ..Texts::default()
    };
    for format in [ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Tiff] {
        let format = ColourFormat::Image(format);
        let names = |texts: &[(String, String)]| -> Vec<String> {
            texts.iter().map(|(name, _)| name.clone()).collect()
        };
        let bytes = written(format, Depth::Eight, (9, 7), Some(&texts));
        let found = texts_of(&saved(&folder, &bytes));
        assert_eq!(names(&found), ["ImageDescription", "Software"]);
        assert_eq!(found[0].1, "re = \"0\"\n");
        #[cfg(target_os = "linux")]
        assert_eq!(piped(&bytes), found, "{format:?}");
        // No empty one.
        let bytes = written(format, Depth::Eight, (9, 7), None);
        assert_eq!(names(&texts_of(&saved(&folder, &bytes))), ["Software"]);
    }
}

/// Rows with which it becomes known what it took to settle counts.
struct Settled<'a>(Slope, &'a SettlingSoFar);

impl RowSource for Settled<'_> {
    fn next_rows(&mut self) -> std::io::Result<Option<Rows<'_>>> {
        let settling = Settling {
            again: u64::from(!self.0.rows.is_empty()),
            unsettled: 0,
        };
        self.1.add(settling);
        self.0.next_rows()
    }
}

#[test]
fn what_is_known_with_the_last_row_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (format, depth) in FORMATS {
        let settling = Arc::new(SettlingSoFar::default());
        let texts = Texts {
            own: Some(("Mandelfarm", "re = \"0\"\n".to_owned())),
            settling: Some(Arc::clone(&settling)),
            ..Texts::default()
        };
        let colours = Scheme {
            depth,
            ..Scheme::default()
        };
        let picture = ColourPicture {
            format,
            samples: (9, 7),
            colours: &colours,
            range: (1.0, 16.0),
            compression: Compression::Fast,
            texts: Some(&texts),
            folder: Path::new("."),
        };
        let mut out = Cursor::new(Vec::new());
        let mut rows = Settled(Slope::new((9, 7)), &settling);
        picture.write(&mut out, &mut rows).unwrap();
        let path = saved(&folder, &out.into_inner());
        let own = "re = \"0\"\n\n[settling]\nagain = 7\nunsettled = 0\n";
        let found = texts_of(&path);
        assert!(
            found.iter().any(|(_, text)| text == own),
            "{format:?}: {found:?}"
        );
        let kind = OpenedFile::open(&path).unwrap().picture();
        assert!(contents_of(&path, kind).unwrap().is_some(), "{format:?}");
    }
}

/// The texts of a picture that comes through a pipe.
#[cfg(target_os = "linux")]
fn piped(bytes: &[u8]) -> Vec<(String, String)> {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    let (reader, mut writer) = std::io::pipe().unwrap();
    // It fits into the pipe.
    writer.write_all(bytes).unwrap();
    drop(writer);
    texts_of(Path::new(&format!("/proc/self/fd/{}", reader.as_raw_fd())))
}

#[test]
fn avif_has_the_same_bytes_on_any_number_of_threads() {
    let by = |threads: usize| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        let avif = ColourFormat::Image(ImageFormat::Avif);
        (pool.unwrap()).install(|| written(avif, Depth::Eight, (1024, 1024), None))
    };
    assert!(by(1) == by(2));
}

#[test]
fn samples_that_make_up_no_pixels_are_an_error() {
    let colours = Scheme {
        samples: Samples::try_from(4).unwrap(),
        ..Scheme::default()
    };
    let picture = WholePicture {
        format: ImageFormat::Tiff,
        samples: (4, 3),
        colours: &colours,
        texts: None,
    };
    let basis = Basis::Range(0.0, 1.0);
    let mut out = Cursor::new(Vec::new());
    let error = picture.write(&mut out, &mut Slope::new((4, 3)), &basis);
    assert!(error.unwrap_err().to_string().contains("whole number"));
}

#[test]
fn small_pictures_keep_their_shape_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    let mut first: Option<Vec<u8>> = None;
    for (format, depth) in FORMATS {
        let path = saved(&folder, &written(format, depth, (60, 40), None));
        for (side, size) in [
            (30, (30, 20)),
            (60, (60, 40)),
            (1000, (60, 40)),
            (0, (1, 1)),
        ] {
            let small = thumbnail(&path, side).unwrap();
            let contents = crate::png::read::contents(Cursor::new(small)).unwrap();
            assert_eq!((contents.width, contents.height), size, "{format:?}");
            assert_eq!(contents.channels[0].kind, "8 bits");
        }
        let small = image::load_from_memory(&thumbnail(&path, 30).unwrap());
        let pixels = small.unwrap().to_rgb8().into_raw();
        let first = first.get_or_insert_with(|| pixels.clone());
        let off = first.iter().zip(&pixels);
        let off: u32 = off.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        let mean = f64::from(off) / pixels.len() as f64;
        assert!(mean < 3.0, "{format:?} {depth:?}: {mean}");
    }
}

#[test]
fn small_pictures_of_what_is_none_or_too_large_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let avif = written(
        ColourFormat::Image(ImageFormat::Avif),
        Depth::Eight,
        (9, 7),
        None,
    );
    let mut jpeg = written(
        ColourFormat::Image(ImageFormat::Jpeg),
        Depth::Eight,
        (9, 7),
        None,
    );
    // It says that it has 65535 columns and rows.
    let frame = jpeg
        .windows(2)
        .position(|bytes| bytes == [0xff, 0xc0])
        .unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    for bytes in [&b"re = \"0\""[..], &avif, &jpeg, &jpeg[..jpeg.len() / 2]] {
        assert!(thumbnail(&saved(&folder, bytes), 30).is_err());
    }
    let path = saved(&folder, &[]);
    File::create(&path).unwrap().set_len((1 << 30) + 1).unwrap();
    let error = thumbnail(&path, 30).unwrap_err().to_string();
    assert!(error.contains("over a gigabyte"), "{error}");
    assert!(thumbnail(&folder.path().join("nothing"), 30).is_err());
    let kind = OpenedFile::open(&saved(&folder, &avif)).unwrap().picture();
    assert_eq!(kind, Some(PictureFormat::Image(ImageFormat::Avif)));
}

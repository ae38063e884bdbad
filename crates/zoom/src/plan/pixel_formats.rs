//! What ffmpeg's names of pixel formats say: bits, colours, and how many pixels share a colour.

/// Whether a format has more than 8 bits a channel: its name ends with how many, or with those of a pixel.
#[must_use]
pub fn is_deep(format: &str) -> bool {
    let name = without_order(format);
    let is_deep = |end: &&str| name.ends_with(*end);
    let many = ["9", "10", "12", "14", "16", "48", "64", "f32", "f16"];
    !name.starts_with("nv") && !name.starts_with("yuyv") && many.iter().any(is_deep)
}

/// Whether a format keeps red, green and blue, which no matrix makes anything else of.
#[must_use]
pub fn is_rgb(format: &str) -> bool {
    let begins = [
        "rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2rgb", "x2bgr", "pal8", "bayer",
    ];
    begins.iter().any(|begin| format.starts_with(begin))
}

/// Whether a format uses all of its values, from black at 0.
#[must_use]
pub fn is_full_range(format: &str) -> bool {
    is_rgb(format) || format.starts_with("yuvj")
}

/// How many columns and rows share a colour: the sides of a picture are multiples of that.
#[must_use]
pub fn shared(format: &str) -> (u32, u32) {
    let name = without_order(format);
    // Those whose names do not say it, and before them those that a rule below would mistake.
    let special = [
        ("yuyv", (2, 1)),
        ("yvyu", (2, 1)),
        ("uyvy", (2, 1)),
        ("uyyvyy", (4, 1)),
        ("nv16", (2, 1)),
        ("nv20", (2, 1)),
        ("nv24", (1, 1)),
        ("nv42", (1, 1)),
        ("nv", (2, 2)),
        ("p0", (2, 2)),
        ("p2", (2, 1)),
        ("p4", (1, 1)),
        ("y21", (2, 1)),
        ("xv", (1, 1)),
        ("bayer", (2, 2)),
    ];
    if let Some((_, sides)) = special.iter().find(|(begin, _)| name.starts_with(begin)) {
        return *sides;
    }
    let Some(rest) = name.strip_prefix("yuv") else {
        return (1, 1);
    };
    let digits = rest.trim_start_matches(['a', 'j']);
    match digits.get(..3) {
        Some("420") => (2, 2),
        Some("422") => (2, 1),
        Some("440") => (1, 2),
        Some("411") => (4, 1),
        Some("410") => (4, 4),
        _ => (1, 1),
    }
}

/// The name without the order of its bytes.
fn without_order(format: &str) -> &str {
    let name = format.strip_suffix("le").or(format.strip_suffix("be"));
    name.unwrap_or(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_more_than_8_bits_are_known_by_their_names() {
        for deep in [
            "yuv420p10le",
            "p010le",
            "gbrp16be",
            "rgb48le",
            "yuv444p9",
            "gray16le",
            "x2rgb10le",
            "gbrpf32le",
        ] {
            assert!(is_deep(deep), "{deep}");
        }
        for shallow in [
            "yuv420p", "rgb24", "nv16", "nv12", "bgr0", "gbrp", "gray", "yuvj444p", "yuyv422",
        ] {
            assert!(!is_deep(shallow), "{shallow}");
        }
    }

    #[test]
    fn formats_say_how_many_pixels_share_a_colour() {
        for (sides, formats) in [
            (
                (2, 2),
                "yuv420p yuvj420p yuva420p10le yuv420p16be nv12 nv21 p010le p016be",
            ),
            (
                (2, 1),
                "yuv422p yuvj422p yuva422p12le nv16 nv20le p210le p216be yuyv422 uyvy422 yvyu422 y210le y212le",
            ),
            ((1, 2), "yuv440p yuvj440p yuv440p12le"),
            ((4, 1), "yuv411p yuvj411p uyyvyy411"),
            ((4, 4), "yuv410p"),
            (
                (1, 1),
                "yuv444p yuvj444p yuva444p16le nv24 nv42 p410le p416le rgb24 gbrp gbrap16le gray gray10le pal8 bgr0 xv36le ya8 monob",
            ),
        ] {
            for format in formats.split(' ') {
                assert_eq!(shared(format), sides, "{format}");
            }
        }
    }

    #[test]
    fn red_green_and_blue_are_known_from_luma() {
        for rgb in [
            "rgb24",
            "bgr0",
            "gbrp",
            "gbrap10le",
            "argb",
            "0bgr",
            "x2rgb10le",
            "rgba64le",
            "pal8",
        ] {
            assert!(is_rgb(rgb) && is_full_range(rgb), "{rgb}");
        }
        for other in ["yuv420p", "gray", "nv12", "p010le", "ya8"] {
            assert!(!is_rgb(other) && !is_full_range(other), "{other}");
        }
        assert!(!is_rgb("yuvj420p") && is_full_range("yuvj420p"));
    }
}

//! Tables, times and long numbers for people.

use comfy_table::{ContentArrangement, Table, presets};
use farm_worker::terminal;
use fractal::{Decimal, Transform};

/// Rows under a heading, columns as wide as they need to be; the last one is not filled up.
///
/// What stands in a cell comes from anywhere, and is one line.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(|cell| terminal::line(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect::<String>().into_bytes()
}

/// Seconds as people say them: `42 s`, `3 min 5 s`, `2 h 7 min`, `3 d 4 h`.
pub fn duration(secs: f64) -> String {
    let secs = secs.clamp(0.0, 1e12) as u64;
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86400);
    match secs {
        0..60 => format!("{secs} s"),
        60..3600 => format!("{minutes} min {} s", secs % 60),
        3600..86400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A share of a whole in per cent; `-` of nothing.
pub fn percent(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    format!("{:.0} %", 100.0 * f64::from(part) / f64::from(whole))
}

/// How a view is turned, in words.
pub fn turned(transform: &Transform) -> String {
    let mut words = format!("{} degrees anticlockwise", transform.rotate);
    if transform.stretch != 0.0 {
        words += &format!(
            ", stretched by 2^{} along {} degrees",
            transform.stretch / 100.0,
            transform.stretch_angle
        );
    }
    words
}

/// A complex number by its parts.
pub fn complex([re, im]: &[Decimal; 2]) -> String {
    format!("{}, {}", shortened(re.as_str()), shortened(im.as_str()))
}

/// A number of many digits by its first and last ones.
pub fn shortened(number: &str) -> String {
    const ENDS: usize = 24;
    let digits = number.chars().count();
    if digits <= 3 * ENDS {
        return number.to_owned();
    }
    let first: String = number.chars().take(ENDS).collect();
    let last: String = number.chars().skip(digits - ENDS).collect();
    format!("{first}...{last} ({digits} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_times_read_well() {
        let rows = vec![vec!["a".to_owned(), "long cell".to_owned()]];
        let text = String::from_utf8(table(&["NAME", "X"], &rows)).unwrap();
        assert_eq!(text, "NAME  X\na     long cell\n");
        assert_eq!(duration(59.9), "59 s");
        assert_eq!(duration(185.0), "3 min 5 s");
        assert_eq!(duration(7620.0), "2 h 7 min");
        assert_eq!(duration(273_600.0), "3 d 4 h");
        assert_eq!(duration(f64::INFINITY), duration(1e12));
        assert_eq!((percent(1, 3), percent(0, 0)), ("33 %".into(), "-".into()));
    }
}

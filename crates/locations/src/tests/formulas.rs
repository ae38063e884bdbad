//! What other programs iterate, in their files and in ours.

use fractal::Transform;

use super::{RE, at, d};
use crate::formats::kfr;
use crate::*;

#[test]
fn formulas_go_out_into_a_kfr_and_come_back() {
    for (formula, line, im) in [
        ("burning-ship", "FractalType: 1\r\nPower: 2\r\n", "0.25"),
        ("tricorn", "FractalType: 4\r\nPower: 2\r\n", "-0.25"),
        ("multibrot-5", "FractalType: 0\r\nPower: 5\r\n", "-0.25"),
        (
            "sqr add / absx absy pow3 add",
            "UseHybridFormula: 1\r\n",
            "-0.25",
        ),
    ] {
        let location = Location {
            formula: Some(formula.parse().unwrap()),
            z0: Some((0.5, -0.25)),
            transform: Transform {
                rotate: 30.0,
                stretch: 50.0,
                stretch_angle: 20.0,
            },
            ..Location::at(at(RE, "0.25", "5"), Format::Kfr)
        };
        let text = location.kfr().unwrap();
        assert!(text.contains(line), "{text}");
        assert!(text.contains(&format!("\r\nIm: {im}\r\n")), "{text}");
        assert_eq!(kfr::parse(&text), Ok(location), "{text}");
    }
    let mut none = Location::at(at(RE, "0.25", "5"), Format::Kfr);
    none.formula = Some("sqr rot{30} add".parse().unwrap());
    let says = |location: &Location| location.text_as(Format::Kfr).unwrap_err().to_string();
    assert_eq!(says(&none), "no .kfr says sqr rot{30} add");
    none.julia = Some([d("-0.8"), d("0.156")]);
    assert_eq!(says(&none), "no .kfr says a Julia set");
    // A picture of it carries our own text alone.
    assert!(none.texts().others.is_empty() && none.texts().own.is_some());
    // As other hands wrote it: its axis points down.
    let ship = kfr::parse("Re: 0\r\nIm: 1\r\nZoom: 1\r\nFractalType: 1\r\nPower: 2\r\n").unwrap();
    let operations = ship.formula.map(|formula| formula.operations());
    assert_eq!(operations.as_deref(), Some("absx absy negy sqr add"));
    assert_eq!(ship.view, at("0", "-1", "1"));
}

#[test]
fn formulas_of_fraktaler_3_are_read_phase_by_phase() {
    let read = |text: &str| {
        let location = Location::parse(&format!("program = \"fraktaler-3\"\n{text}"), false);
        location.unwrap().formula.unwrap_or_default().operations()
    };
    let hybrid = "[[formula]]\nabs_x = true\nabs_y = true\npower = 3\n[[formula]]\n[[formula]]\nneg_y = true\n";
    assert_eq!(read(hybrid), "absx absy pow3 add / sqr add / negy sqr add");
    let opcodes = "[[formula]]\nopcodes = \"sqr rot{-1} add\"\nabs_x = true\n[[formula]]\nopcodes = \"store absx mul\"\n";
    assert_eq!(read(opcodes), "sqr rot{-1} add / store absx mul add");
    let reflected = "[transform]\nreflect = true\n[[formula]]\nabs_y = true\n";
    assert_eq!(read(reflected), "absy negy sqr add");
    let twice = format!("image.vertical_flip = true\n{reflected}");
    assert_eq!(read(&twice), "absy sqr add");
    let flipped = "transform.vertical_flip = true\n[[formula]]\nabs_y = true\n";
    assert_eq!(read(flipped), "absy negy sqr add");
    let formula = Location::parse(
        "program = \"fraktaler-3\"\n[[formula]]\npower = 2\nspin = 3\n",
        false,
    );
    let warnings = formula.unwrap().warnings;
    assert!(warnings[0].contains("formula.spin"), "{warnings:?}");
}

#[test]
fn formulas_of_rust_fractal_are_powers_and_the_ship() {
    let place = "real = \"0\"\nimag = \"0\"\nzoom = \"1\"\n";
    let formula = |lines: &str| {
        let location = Location::parse(&format!("{place}{lines}"), false)?;
        Ok::<_, String>(location.formula.unwrap_or_default().operations())
    };
    // Its axis points down, and a ship is none the other way up.
    let ship = formula("fractal_type = \"BurningShip\"\n");
    assert_eq!(ship.unwrap(), "absx absy negy sqr add");
    assert_eq!(formula("fractal_power = 3\n").unwrap(), "pow3 add");
    let nova = formula("fractal_type = \"nova\"\n").unwrap_err();
    assert!(nova.contains("fractal_type nova"), "{nova}");
    let high = formula("fractal_power = 50\n").unwrap_err();
    assert!(high.contains("degree 50"), "{high}");
}

//! Minibrots that are known, and what finds them.

use super::*;
use crate::reference::tests::frame;
use dashu_int::UBig;

fn find(re: &str, im: &str, zoom: &str) -> Nucleus {
    locate(&frame(re, im, zoom, 100_000), &mut |_| true).unwrap()
}

/// |a - b| < 10^-`digits`
fn near(a: &Decimal, b: &str, digits: i32) -> bool {
    let b: Decimal = b.parse().unwrap();
    let apart = a.minus(&b);
    let (numerator, denominator) = apart.to_fraction();
    numerator.unsigned_abs() * UBig::from(10u8).pow(digits as usize) < denominator
}

#[test]
fn small_periods_are_where_they_are_known_to_be() {
    let heart = find("0.01", "0.02", "2");
    assert_eq!((heart.period, heart.shape), (1, Shape::Cardioid));
    assert!(near(&heart.re, "0", 19) && near(&heart.im, "0", 19));
    assert!((heart.size.to_f64() - 1.0).abs() < 1e-12 && heart.angle == 0.0);
    assert!((heart.view.0.to_f64() + 0.75).abs() < 1e-12);

    let disc = find("-1.02", "0.03", "20");
    assert_eq!((disc.period, disc.shape), (2, Shape::Disc));
    assert!(near(&disc.re, "-1", 19) && near(&disc.im, "0", 19));
    assert!((disc.size.to_f64() - 0.5).abs() < 1e-12);

    let airplane = find("-1.7549", "0.0001", "1000");
    assert_eq!((airplane.period, airplane.shape), (3, Shape::Cardioid));
    let known = "-1.7548776662466927600495088963585286918946066177727931439892839706";
    assert!(near(&airplane.re, known, 20));
    assert!((airplane.size.to_f64() - 0.0190355).abs() < 1e-4);
    let rabbit = find("-0.12", "0.74", "30");
    assert_eq!((rabbit.period, rabbit.shape), (3, Shape::Disc));
    assert!(near(
        &rabbit.re,
        "-0.1225611668766536199752455518207356540",
        19
    ));
    assert!(near(
        &rabbit.im,
        "0.74486176661974423659317042860439236724",
        19
    ));

    let four = find("-1.94", "0", "100");
    assert_eq!((four.period, four.shape), (4, Shape::Cardioid));
    assert!(near(
        &four.re,
        "-1.9407998065294847522320909796552041768",
        19
    ));
    let kokopelli = find("-0.1565", "1.0323", "500");
    assert_eq!((kokopelli.period, kokopelli.shape), (4, Shape::Cardioid));
    assert!(near(
        &kokopelli.re,
        "-0.1565201668337550617989866507878193139",
        19
    ));
    assert!(near(
        &kokopelli.im,
        "1.03224710892283180167160153243019379357",
        19
    ));
}

/// Minibrots at the ends of two famous zooms: a view, and the nucleus next to it.
const DEEP: [(&str, &str, &str, u64); 2] = [
    (
        "-0.56216592134380988631665854411465068727140056",
        "0.64275141905662727715238077867094261229763706",
        "2.194e12",
        152,
    ),
    (
        "-0.7437485627794257007334747472549807878117145697411620836770853449423833889100126",
        "0.1318710906608262749433175178216937155291090265305708196113361784344997403491702",
        "9.17e34",
        770,
    ),
];

#[test]
fn deep_minibrots_are_found_from_beside() {
    for (re, im, zoom, period) in DEEP {
        // A centre with a few digits less: somewhere else in the view.
        let (_, power) = zoom.split_once('e').unwrap();
        let kept = power.parse::<usize>().unwrap() + 5;
        let cut = |text: &'static str| &text[..kept];
        let found = find(cut(re), cut(im), zoom);
        assert_eq!(
            (found.period, found.shape),
            (period, Shape::Cardioid),
            "{found:?}"
        );
        assert!(near(&found.re, re, 30) && near(&found.im, im, 30));
    }
}

#[test]
fn a_view_of_a_minibrot_shows_it() {
    let found = find("-1.7549", "0.0001", "1000");
    let (re, im, zoom) = &found.view;
    let again = find(re.as_str(), im.as_str(), zoom.as_str());
    assert_eq!((&again.re, &again.im), (&found.re, &found.im));
    assert!((zoom.to_f64() * found.size.to_f64() - 2.0 / 1.4).abs() < 1e-2);
}

#[test]
fn where_there_is_none_that_is_said() {
    // Inside the period-2 disc, outside of the set, outside of everything.
    for (re, im) in [("-1.1", "0.05"), ("0.5", "0.5"), ("5", "0"), ("1e30", "0")] {
        let none = locate(&frame(re, im, "1e20", 5000), &mut |_| true);
        assert_eq!(none, Err(LocateError::None(5000)), "{re} {im}");
    }
    let inside = frame("-1.1", "0.05", "1e20", 5000);
    let cancelled = locate(&inside, &mut |progress| progress != Progress::Period(2048));
    assert_eq!(cancelled, Err(LocateError::Cancelled));
}

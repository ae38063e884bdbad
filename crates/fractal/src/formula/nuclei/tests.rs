//! Nuclei that are known, and what finds them.

use super::*;
use crate::plane::view::{Grid, View};
use crate::{Counts, Measure, MeasureSet, Transform};

/// Formula, centre of a view beside a point that orbits come to repel at, its zoom; and the period, the nucleus and the size of the
/// minibrot that was found there in 260 decimal digits by differences of values alone (mpmath).
type Known = (
    &'static str,
    [&'static str; 2],
    &'static str,
    u64,
    [&'static str; 2],
    &'static str,
);

#[rustfmt::skip]
const KNOWN: [Known; 21] = [
    ("multibrot-3", ["0.340625", "1.27123"], "1e1", 3, ["0.2644250219360242486", "1.260489344108478669"], "0.01752479"),
    ("multibrot-3", ["0.3406250193166066", "1.271229878418706"], "1e10", 15, ["0.34062501912739685768533962483681", "1.2712298783860606078860109448637"], "2.1016625e-15"),
    ("multibrot-3", ["0.3406250193166066401943942440378308889772101025491253031197026", "1.271229878418706239135612991021064976728414328226777678213679"], "1e55", 78, ["0.3406250193166066401943942440378308889772101025491253030930422424446561884175173386188275909676195108", "1.271229878418706239135612991021064976728414328226777678368199256011268906400703924337777318451162948"], "4.9048432e-83"),
    ("multibrot-4", ["0.2905146", "1.084215"], "1e1", 2, ["0.5", "0.866025403784438647"], "0.20998684"),
    ("multibrot-4", ["0.2905145555072514", "1.084215081491351"], "1e10", 14, ["0.290514555347095697117301701508", "1.08421508167817416042425672688"], "1.39634e-13"),
    ("multibrot-4", ["0.2905145555072514445038131886249290736842462848382114649186862", "1.084215081491351181879666008261083203879992948788137969822829"], "1e55", 74, ["0.2905145555072514445038131886249290736842462848382114650308992205629325892750998041536947311", "1.084215081491351181879666008261083203879992948788137969691931723176902593494411790943407055"], "8.6894451e-74"),
    ("burning-ship", ["-1.0", "-1.0"], "1e1", 3, ["-0.7549226416648996801", "-0.8920062881037429044"], "0.05094216"),
    ("burning-ship", ["-1.0", "-1.0"], "1e10", 23, ["-0.9999999997751129878136745697031166656", "-0.9999999999239411684431943923041180185"], "3.871672e-20"),
    ("burning-ship", ["-1.0", "-1.0"], "1e55", 123, ["-0.9999999999999999999999999999999999999999999999999999998424330876250504958667958449254321167964493146451480770889199162962140196", "-0.9999999999999999999999999999999999999999999999999999999467094380976608277379442802819476332241902888621177956892982822346164961"], "1.90064e-110"),
    ("celtic", ["-1.707107", "0.7071068"], "1e1", 3, ["-1.461156649102268553", "0.6432097799463204133"], "0.02152082"),
    ("celtic", ["-1.707106781186548", "0.7071067811865475"], "1e10", 19, ["-1.707106780994369865877492550096932338", "0.7071067811396995404955728719323909707"], "1.1778113e-20"),
    ("celtic", ["-1.70710678118654752440084436210484903928483593768847403658834", "0.7071067811865475244008443621048490392848359376884740365883399"], "1e55", 98, ["-1.707106781186547524400844362104849039284835937688474036365909952245527510186846913039197992475638242590603456545676435400596603", "0.7071067811865475244008443621048490392848359376884740363917341994476164973153979815808563243302222893901446927076408253951027849"], "2.3898599e-110"),
    ("sqr add / absx absy pow3 add", ["-0.3453649", "-0.7279402"], "1e1", 4, ["-0.05942404852389605111", "-0.6150254607183773181"], "0.034509205"),
    ("sqr add / absx absy pow3 add", ["-0.3453648545484984", "-0.7279401691564238"], "1e10", 50, ["-0.34536485454849843470526188522920555601726054469924", "-0.72794016915642379401366800085396015696603911890972"], "1.8528389e-33"),
    ("sqr add / absx absy pow3 add", ["-0.3453648545484983904186938639840074226322378139506398738512761", "-0.7279401691564238284548227669702365146070480718524601215753448"], "1e55", 180, ["-0.34536485454849839041869386398400742263223781395063987385126392318858631740346231304439640199359725150858570540232557087599448900365884323", "-0.72794016915642382845482276697023651460704807185246012157534648674233797173225582464309475567081380886305561484922672107884357164746552148"], "1.6975703e-120"),
    ("absx absy pow3 add / sqr add", ["0.2931457", "0.7260925"], "1e1", 6, ["0.20378458823571386407", "0.69992328288195689459"], "0.009258199"),
    ("absx absy pow3 add / sqr add", ["0.2931457093043774", "0.7260924743173217"], "1e10", 28, ["0.293145709722809952111737433928459", "0.726092474113933361082967350997608"], "6.2058027e-16"),
    ("absx absy pow3 add / sqr add", ["0.2931457093043773615535702206586771073353426319462506760750753", "0.7260924743173216564143581376440845548810105314208210974709978"], "1e55", 142, ["0.29314570930437736155357022065867710733534263194625067653736416520380490517636728112650201102447055454", "0.72609247431732165641435813764408455488101053142082109727267758466580560079601872681181895725759486755"], "5.1577101e-84"),
    ("sqr add / pow3 add", ["0.5818862", "-1.011138"], "1e1", 4, ["0.5397436497708368433", "-1.0223149830392176373"], "0.0010071711"),
    ("sqr add / pow3 add", ["0.581886151726396", "-1.011137732902646"], "1e10", 20, ["0.58188615181820685119720101353598707062", "-1.011137732993765586647214208159145236"], "8.8440046e-21"),
    ("sqr add / pow3 add", ["0.5818861517263959717783828978411072457562686401859340609958059", "-1.011137732902645729411321607394678850224102159935781933843487"], "1e55", 104, ["0.5818861517263959717783828978411072457562686401859340608496504543164241869240646643660038983373533367827488624894125676805617563", "-1.01113773290264572941132160739467885022410215993578193404228720947499004834625288202950778941366238226787310500878491832948467"], "3.2180716e-110"),
];

fn frame(formula: &str, [re, im]: [&str; 2], zoom: &str) -> FrameSpec {
    FrameSpec {
        view: View::Centre {
            re: re.parse().unwrap(),
            im: im.parse().unwrap(),
            zoom: zoom.parse().unwrap(),
        },
        transform: Transform::default(),
        grid: Grid::Pixels,
        width: 256,
        height: 256,
        iterations: 10_000,
        escape_radius: 256.0,
        z0: (0.0, 0.0),
        formula: formula.parse().unwrap(),
        julia: None,
        skip_error_log2: crate::SKIP_ERROR_LOG2,
        counts: Counts::Fast,
        measures: MeasureSet::default().with(Measure::Iterations),
    }
}

/// |a - b| / unit
fn apart(a: &Decimal, b: &str, unit: FloatExp) -> f64 {
    let (numerator, denominator) = a.minus(&b.parse().unwrap()).to_fraction();
    (FloatExp::from_fraction(&numerator, &denominator).abs() / unit).to_f64()
}

#[test]
fn nuclei_of_formulas_are_where_they_are_known_to_be() {
    for (formula, centre, zoom, period, [re, im], size) in KNOWN {
        let found = locate(&frame(formula, centre, zoom), &mut |_| true);
        let found = found.unwrap_or_else(|error| panic!("{formula} at {zoom}: {error}"));
        assert_eq!(found.period, period, "{formula} at {zoom}");
        let (numerator, denominator) = size.parse::<Decimal>().unwrap().to_fraction();
        let size = FloatExp::from_fraction(&numerator, &denominator);
        let ratio = (found.size / size).to_f64();
        assert!((ratio - 1.0).abs() < 1e-6, "{formula} at {zoom}: {ratio}");
        for (ours, known) in [(&found.re, re), (&found.im, im)] {
            let apart = apart(ours, known, size);
            assert!(apart < 1e-10, "{formula} at {zoom}: {apart:e}");
        }
        let is_plain = !formula.contains("abs") && formula != "burning-ship" && formula != "celtic";
        assert_eq!(found.angle.is_some(), is_plain, "{formula}");
    }
}

#[test]
fn nuclei_of_the_quadratic_are_those_of_its_own_search() {
    // A way of its own, with complex derivatives and in as many bits as it needs.
    for (centre, zoom) in [
        (["-1.7549", "0.0001"], "1000"),
        (["-0.1565", "1.0323"], "500"),
        (["-1.7685736562992577", "0.0009642968513582800"], "1e10"),
        (["0", "1"], "1e38"),
        (["-2", "0"], "1e120"),
    ] {
        let frame = frame("mandelbrot", centre, zoom);
        let (ours, known) = (
            locate(&frame, &mut |_| true).unwrap(),
            crate::locate::locate(&frame, &mut |_| true).unwrap(),
        );
        assert_eq!(ours.period, known.period);
        assert!(((ours.size / known.size).to_f64() - 1.0).abs() < 1e-9);
        assert!((ours.angle.unwrap() - known.angle).abs() < 1e-9);
        for (ours, known) in [(&ours.re, &known.re), (&ours.im, &known.im)] {
            assert!(apart(ours, known.as_str(), frame_unit(zoom)) < 1e-12);
        }
    }
}

fn frame_unit(zoom: &str) -> FloatExp {
    let (numerator, denominator) = zoom.parse::<Decimal>().unwrap().to_fraction();
    FloatExp::from_f64(1.0) / FloatExp::from_fraction(&numerator, &denominator)
}

/// The nucleus 0, and that of period 2, i, of which half a turn is another one.
#[test]
fn small_nuclei_of_powers_are_in_closed_form() {
    let whole = locate(&frame("multibrot-5", ["0.01", "0.02"], "2"), &mut |_| true).unwrap();
    assert_eq!(whole.period, 1);
    assert!((whole.size.to_f64() - 1.0).abs() < 1e-12 && whole.angle == Some(0.0));
    let two = locate(&frame("multibrot-3", ["0.02", "0.99"], "8"), &mut |_| true).unwrap();
    assert_eq!(two.period, 2);
    let unit = FloatExp::from_f64(1.0);
    assert!(apart(&two.re, "0", unit) < 1e-15 && apart(&two.im, "1", unit) < 1e-15);
    // z_2 = c^3 + c: J is 3 c^2 + 1 = -2 and the factor of z^3 is 3 c^2 = -3.
    assert!((two.size.to_f64() - 1.0 / (2.0 * 3f64.sqrt())).abs() < 1e-12);
}

#[test]
fn there_is_none_where_zero_is_no_critical_point() {
    for (formula, known) in [
        ("mandelbrot", Some(2)),
        ("multibrot-7", Some(7)),
        ("store absx sqr mul add", Some(3)),
        ("sqr rot 30 add / pow3 add", Some(2)),
        ("add sqr", None),
        ("store sqr add mul", None),
    ] {
        assert_eq!(order(&formula.parse().unwrap()), known, "{formula}");
    }
    let none = locate(&frame("add sqr", ["0", "0"], "1"), &mut |_| true);
    assert_eq!(none, Err(LocateError::None(10_000)));
    let cancelled = FrameSpec {
        iterations: 1 << 20,
        ..frame("burning-ship", ["-1.861", "0"], "1e30")
    };
    let cancelled = locate(&cancelled, &mut |_| false);
    assert_eq!(cancelled, Err(LocateError::Cancelled));
}

//! The API against its own document: schemathesis asks whatever that allows, and some of what it does not.

use std::time::Duration;

use farm_tests::folder;
use farm_tests::programs::Run;
use farm_tests::tools::tools;

use super::setup::Page;

/// What every answer has to keep to.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method";

#[test]
fn the_api_keeps_to_its_document() {
    // A folder of its own for the jobs that it leaves, which are small or do not fit.
    let outputs = farm_tests::folder();
    let page = Page::serve(&format!(
        "--most-disk 50MB --output {}",
        outputs.path().display()
    ));
    let cookie = page.operator();
    let document = page
        .send("GET", "/api/openapi.json", &[("Cookie", &cookie)], b"")
        .json();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 21, "{paths:?}");
    let request = &document["components"]["schemas"]["PictureRequest"]["properties"];
    for key in [
        "re",
        "zoom",
        "iterations",
        "colour-range",
        "palette",
        "samples",
    ] {
        assert!(request[key].is_object(), "{key}");
    }
    let folder = folder();
    let program = tools().join("bin/schemathesis");
    assert!(
        program.is_file(),
        "{} is missing: ./tests/run installs it",
        program.display()
    );
    let run = |checks: &str| {
        Run::any(&program)
            .arg("run")
            .arg(format!("http://{}/api/openapi.json", page.host))
            .args(["--header", &format!("Cookie:{cookie}")])
            .args(["--header", &format!("Origin:http://{}", page.host)])
            .args([
                "--checks",
                checks,
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "40",
            ])
            .args([
                "--seed",
                "1",
                "--generation-database",
                "none",
                "--suppress-health-check",
                "all",
            ])
            .args(["--continue-on-failure", "--warnings", "off", "--no-color"])
            .env("HOME", &folder.path().display().to_string())
            .within(&folder)
            .limit(Duration::from_secs(600))
            .run()
    };
    let done = run(CHECKS);
    assert_eq!(done.code, Some(0), "{}\n{}", done.stdout, done.stderr);
    let begun = page.computations(&cookie)["finished"].as_u64().unwrap();
    assert!(begun > 0, "some of it was computed");
}

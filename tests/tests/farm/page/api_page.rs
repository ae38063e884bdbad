//! The commands of docs/api.md, run word for word but for the port.

use farm_tests::pictures::{Npy, Png};
use farm_tests::programs::Run;
use farm_tests::server::free_port;
use farm_tests::tools::build_folder;
use farm_tests::{folder, page, submitter};
use serde_json::Value;

#[test]
fn every_command_of_the_page_works() {
    let text = page::read("docs/api.md");
    let blocks = page::blocks(&text).expect("every block says whether it is run");
    assert!(blocks.len() >= 7, "{}", blocks.len());
    assert!((blocks.iter()).all(|block| block.usage == page::BlockUse::Run));
    let blocks: Vec<String> = blocks.into_iter().map(|block| block.commands).collect();
    let port = free_port();
    let commands = blocks
        .concat()
        .replace("127.0.0.1:8700", &format!("127.0.0.1:{port}"));
    assert!(!commands.contains("8700"), "{commands}");
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{commands}");
    let folder = folder();
    let path = format!(
        "{}:{}",
        build_folder().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    Run::any("bash")
        .arg("-c")
        .arg(script)
        .env("PATH", &path)
        .within(&folder)
        .ok();
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let json = |name: &str| -> Value { serde_json::from_slice(&read(name)).unwrap() };
    let view = "render --re -0.75 --im 0.1 --zoom 20 --size 320x200 -q -o x.npy";
    submitter(view).within(&folder).ok();
    let values = Npy::read(folder.path().join("x.npy")).f32s();
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    assert!(read("view.f32") == bytes, "the values of a render");
    let headers = String::from_utf8(read("headers.txt")).unwrap();
    for said in [
        "tile-size: 320x200",
        "tile-measures: smooth",
        "tile-reference: none",
    ] {
        assert!(headers.contains(said), "{said}: {headers}");
    }
    assert_eq!(Png::read(folder.path().join("view.png")).width, 320);
    assert_eq!(json("place.json")["place"]["request"]["palette"], "dusk");
    assert_eq!(json("minibrot.json")["period"], 3);
    assert!(json("palettes.json").as_array().unwrap().len() >= 20);
    assert_eq!(json("formulas.json")[8]["name"], "burning-ship");
    assert_eq!(read("dusk.f32").len(), 4 * 3 * 4097);
    assert!(
        json("status.json")["computations"]["finished"]
            .as_u64()
            .unwrap()
            >= 3
    );
    assert!(
        String::from_utf8(read("page.html"))
            .unwrap()
            .contains("main.js")
    );
}

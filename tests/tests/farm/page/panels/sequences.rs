//! Videos of other formulas, left with a server that has a farm.

use farm_tests::{Browser, Server, Worker, folder, submitter};

use super::super::browser::open;
use super::super::farm_view::gathered;
use super::super::setup::Page;
use super::steps::{click, set};

#[test]
fn videos_of_other_formulas_are_left_with_a_farm() {
    let (server, outputs, here) = (Server::start(), folder(), folder());
    let _worker = Worker::start(&server, "crew");
    let page = Page::serve(&format!(
        "--redis {} --output {}",
        server.url(),
        outputs.path().display()
    ));
    gathered(&page, "mandelfarm_workers ", |workers| workers == 1.0);
    let browser = Browser::start(480, 320, &[]);
    for (name, said, line) in [
        ("ship.mp4", "formula=burning-ship", "--formula burning-ship"),
        ("set.mp4", "julia=-0.8,0.156", "--julia -0.8 0.156"),
        (
            "both.mp4",
            "formula=celtic&julia=-0.8,0.156",
            "--formula celtic --julia -0.8 0.156",
        ),
    ] {
        let hash = format!("#re=-0.3&im=-0.2&zoom=6&iterations=300&palette=ice&{said}");
        open(&page, &browser, &hash);
        browser.until("!document.getElementById('to-leave').hidden");
        browser.key("l");
        browser.until("document.getElementById('leave').open");
        // Nuclei are found of z² + c alone.
        let is_disabled = "document.querySelector('#leave-kind [value=nucleus]').disabled";
        assert_eq!(browser.value(is_disabled), true, "{name}");
        set(&browser, "#leave-kind", "here");
        set(&browser, "#leave-size", "96x64");
        set(&browser, "#leave-pace", "0.2");
        set(&browser, "#leave-name", name);
        browser.until("document.getElementById('leave').dataset.state === 'planned' && document.getElementById('leave-cost').textContent.includes('96 × 64')");
        browser.run("delete document.body.dataset.left", &[]);
        click(&browser, "#leave-go");
        browser.until("document.body.dataset.left");
        browser.open(&format!("http://{}/farm", page.host));
        browser.until(&format!(
            "[...document.querySelectorAll('#queue tr')].some((row) => row.textContent.includes('{name}') && row.children[2].textContent === 'done')"
        ));
        let line = format!(
            "zoom --re -0.3 --im -0.2 --from 1 --to 6 --size 96x64 --seconds-per-octave 0.2 --iterations 300 \
             --shallow-iterations 300 --palette ice --colour smooth --mapping log --offset 0 --inside #000000 {line} --backend cpu -q -o {name}"
        );
        submitter(&line).within(&here).ok();
        let read = |folder: &tempfile::TempDir| std::fs::read(folder.path().join(name)).unwrap();
        assert!(read(&outputs) == read(&here), "{name}");
    }
    assert_eq!(browser.errors(), [""; 0]);
}

//! Pictures in memory.

use fractal::{Measure, MeasureSet};

use super::plans::plan;
use crate::progress::Silent;
use crate::stop::Stop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tile_is_a_picture_in_memory() {
    let mut plan = plan(&["never-written.npy"]);
    plan.frame.measures = MeasureSet::default().with(Measure::Smooth);
    let tile = crate::tile::tile(plan.clone(), &Stop::new()).await.unwrap();
    assert!(!std::path::Path::new("never-written.npy").exists());
    assert_eq!(tile.size(), (20, 24));
    let values = tile.values(Measure::Smooth).unwrap();
    assert_eq!(values.len(), 480);
    let folder = tempfile::tempdir().unwrap();
    plan.outputs[0].path = folder.path().join("x.npy");
    crate::render::render(&plan, None, &Silent, &Stop::new())
        .await
        .map_err(|failed| failed.error)
        .unwrap();
    let file = std::fs::read(&plan.outputs[0].path).unwrap();
    assert_eq!(pictures::npy::singles(&file, (20, 24)).unwrap(), values);
    let pixels = tile.paint(&plan.colours, None).unwrap();
    assert_eq!(pixels.len(), 3 * 480);
    assert!(pixels.iter().any(|byte| *byte != 0));
    plan.frame.width = 4096;
    plan.frame.height = 4096;
    let error = crate::tile::tile(plan, &Stop::new()).await.unwrap_err();
    assert!(error.to_string().contains("over the limit"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_of_a_picture_in_memory_tells_the_range_of_its_colours() {
    let mut alone = plan(&[]);
    alone.keeps = true;
    let folder = tempfile::tempdir().unwrap();
    let mut in_company = plan(&[&folder.path().join("x.png").to_string_lossy()]);
    in_company.keeps = true;
    let range = async |plan| {
        let rendered = crate::render::render(&plan, None, &Silent, &Stop::new()).await;
        rendered
            .map_err(|failed| failed.error)
            .unwrap()
            .report
            .colour_range
    };
    let found = range(alone).await;
    assert_ne!(found, (0.0, 1.0));
    assert_eq!(found, range(in_company).await);
}

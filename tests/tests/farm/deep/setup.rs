//! The view that deep tests render.

use farm_tests::pictures::Npy;
use farm_tests::{Server, folder, submitter};

/// Keys of orbits on a server.
pub(super) fn orbits(server: &Server) -> Vec<String> {
    server.keys("mf:orbit:*")
}

/// The values of one measure of a view.
pub(super) fn values(args: &str, measure: &str, more: &str) -> Vec<f64> {
    let folder = folder();
    let line = format!("render {args} --measure {measure} --backend cpu -q -o x.npy {more}");
    submitter(&line).within(&folder).ok();
    Npy::read(folder.path().join("x.npy")).values_f64()
}

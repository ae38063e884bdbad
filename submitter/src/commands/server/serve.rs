//! `submitter serve`.

use render::plan::Place;
use render::tile::tiles::Tiles;
use web::{ServeError, Server, Settings};

use crate::cli::serve::ServeArgs;
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::write_stdout;

/// Serves the page until it is told to stop.
pub async fn run(args: ServeArgs, context: &Context) -> Result<(), Failure> {
    let farm = args.farm()?;
    let jobs = args.jobs();
    let backend = args.devices.backend.into();
    let settings = Settings {
        listen: args.listen,
        hosts: args.hosts,
        read_only: args.read_only,
        insecure: args.insecure,
        tls: args.tls_cert.zip(args.tls_key),
        jobs,
    };
    let server = Server::bind(settings).await?;
    let place = Place::InProcess {
        workers: 1,
        threads: None,
    };
    let tiles = Tiles::open(place, backend, &*context.progress, &context.stop).await;
    let tiles = tiles.map_err(ServeError::from)?;
    let (operator, watcher) = server.addresses();
    let lines = match operator {
        Some(operator) => format!("{operator}\n{watcher}\n"),
        None => format!("{watcher}\n"),
    };
    write_stdout(lines.as_bytes())?;
    server.serve(tiles, farm, &context.stop).await;
    Err(Failure::interrupted(None))
}

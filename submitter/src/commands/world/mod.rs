//! `submitter world`.

mod tables;

use world::network::lifecycle::Owner;
use world::{Choice, OpenNetwork, WorldError};

use crate::cli::requests::environment;
use crate::cli::world::{WorldArgs, WorldCommand, world_file};
use crate::commands::context::Context;
use crate::failure::Failure;
use crate::terminal::{say, write_json, write_stdout};

/// Checks, boots, shows or shuts down a network.
pub async fn run(command: WorldCommand, context: &Context) -> Result<(), Failure> {
    match command {
        WorldCommand::Check(args) => check(&args),
        WorldCommand::Boot {
            world,
            require_all,
            quiet,
        } => boot(&world, require_all, quiet, context).await,
        WorldCommand::Status(args) => status(&args).await,
        WorldCommand::Shutdown(args) => shut_down(&args).await,
    }
}

fn open(args: &WorldArgs) -> Result<OpenNetwork, Failure> {
    let choice = Choice {
        file: world_file(args.file.as_deref()).map_err(WorldError::None)?,
        network: args.network.clone(),
        state: args.state.state.clone().map(Into::into),
    };
    Ok(OpenNetwork::open(&choice, environment())?)
}

fn say_doubts(opened: &OpenNetwork) {
    for doubt in opened.doubts() {
        say(&format!("warning: {doubt}"));
    }
}

fn check(args: &WorldArgs) -> Result<(), Failure> {
    let opened = open(args)?;
    opened.check()?;
    say_doubts(&opened);
    let checked = tables::Checked::of(&opened);
    if args.json {
        write_json(&checked)
    } else {
        write_stdout(&checked.table())
    }
}

async fn boot(
    args: &WorldArgs,
    require_all: bool,
    quiet: bool,
    context: &Context,
) -> Result<(), Failure> {
    let opened = open(args)?;
    let interrupt = context.stop.requested();
    say_doubts(&opened);
    let booted = opened
        .boot(Owner::Operators, require_all, interrupt)
        .await?;
    let report = tables::BootReport::of(&opened, &booted);
    if args.json {
        write_json(&report)?;
    } else if !quiet {
        write_stdout(&report.table())?;
    }
    let failures = booted.failures();
    if !failures.is_empty() {
        let (failed, all) = (booted.failed().count(), booted.targets.len());
        say(&format!("{failed} of {all} targets failed{failures}"));
    }
    Ok(())
}

/// Ends with status 1, after the table has said why, unless all targets serve.
async fn status(args: &WorldArgs) -> Result<(), Failure> {
    let report = open(args)?.status().await?;
    if args.json {
        write_json(&report)?;
    } else {
        write_stdout(&tables::status(&report))?;
    }
    let (serving, all) = (report.serving(), report.targets.len());
    if serving < all {
        return Err(Failure::failed(format!("{serving} of {all} targets serve")));
    }
    Ok(())
}

async fn shut_down(args: &WorldArgs) -> Result<(), Failure> {
    let opened = open(args)?;
    let mut held = opened.hold()?;
    match held.users() {
        0 => {}
        1 => say("warning: a render uses this network"),
        more => say(&format!("warning: {more} renders use this network")),
    }
    if held.state.is_empty() {
        held.remove();
        if args.json {
            return write_stdout(b"{\"targets\":[]}\n");
        }
        say("nothing runs of this network");
        return Ok(());
    }
    let stopped = opened.shut_down(held).await?;
    if args.json {
        write_json(&serde_json::json!({ "targets": stopped }))
    } else {
        write_stdout(&tables::stopped(&stopped))
    }
}

//! `submitter redis-acl`: the farm's two Redis users, as lines for Redis. `submitter worker-key`: one worker's own key.

use farm_queue::redis::acl::{Role, rules};
use farm_worker::farm_args::{key_in, password_in};
use farm_worker::usage::Misuse;

use crate::cli::farm::{RedisAclArgs, WorkerKeyArgs};
use crate::failure::Failure;
use crate::terminal::say;

/// One line for each user.
///
/// # Errors
/// A password file that cannot be read, or says nothing; the same name for both.
pub fn lines(args: &RedisAclArgs) -> Result<String, Failure> {
    if args.worker_user == args.submitter_user {
        return Err(Misuse(
            "--worker-user and --submitter-user are the same: workers would have all rights of submitters",
        )
        .into());
    }
    let users = [
        (
            Role::Worker,
            &args.worker_user,
            "--worker-password-file",
            &args.worker_password_file,
        ),
        (
            Role::Submitter,
            &args.submitter_user,
            "--submitter-password-file",
            &args.submitter_password_file,
        ),
    ];
    let mut lines = String::new();
    for (role, name, option, file) in users {
        let password = (file.as_ref())
            .map(|file| password_in(option, file))
            .transpose()?;
        if password.is_none() {
            say(&format!(
                "warning: no {option}: replace <SHA256-OF-PASSWORD> of {name}, which Redis refuses"
            ));
        }
        let rules = rules(role, password.as_ref());
        let verb = if args.aclfile { "user" } else { "ACL SETUSER" };
        lines.push_str(&format!("{verb} {name} {rules}\n"));
    }
    Ok(lines)
}

/// The key of one worker, a line for its `--farm-key-file`.
///
/// # Errors
/// A file that cannot be read, or is not the farm's key.
pub fn worker_key(args: &WorkerKeyArgs) -> Result<String, Failure> {
    let key = key_in("--farm-key-file", &args.farm_key_file)?;
    let line = key.worker_key(&args.name).ok_or(Misuse(
        "--farm-key-file is one worker's key: those of others are made of the farm's own",
    ))?;
    Ok(line + "\n")
}

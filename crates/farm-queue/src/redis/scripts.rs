//! The Lua scripts: every change of a strip's state that has more than one step.
//!
//! Each touches keys of one slot only, carries no buffer (arguments of scripts are copied), and does
//! nothing when done twice. They are called by digest alone; a server that does not know one (a fresh one, or
//! after `SCRIPT FLUSH`) is sent the texts of all, by whoever has the right to do so.

use std::sync::LazyLock;

use ::redis::{Cmd, ToRedisArgs, cmd};

/// One script.
pub(super) struct Script {
    text: &'static str,
    digest: LazyLock<String>,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(
            pub(super) static $name: Script = Script {
                text: include_str!($file),
                digest: LazyLock::new(|| digest_of(include_str!($file))),
            };
        )*
        /// Every script.
        pub(super) static ALL: &[&Script] = &[$(&$name),*];
    };
}

scripts! {
    ADOPT = "lua/adopt.lua";
    CLAIM = "lua/claim.lua";
    COMMIT = "lua/commit.lua";
    CREATE = "lua/create.lua";
    END = "lua/end.lua";
    ENQUEUE = "lua/enqueue.lua";
    FAIL = "lua/fail.lua";
    HEARTBEAT = "lua/heartbeat.lua";
    JOIN = "lua/join.lua";
    LEAVE = "lua/leave.lua";
    ORDER = "lua/order.lua";
    ORPHAN = "lua/orphan.lua";
    PRESENCE = "lua/presence.lua";
    QUARANTINE = "lua/quarantine.lua";
    REJECT = "lua/reject.lua";
    RELEASE = "lua/release.lua";
    REPORT = "lua/report.lua";
    TAKE = "lua/take.lua";
    WORKERS = "lua/workers.lua";
}

fn digest_of(text: &str) -> String {
    ::redis::Script::new(text).get_hash().to_owned()
}

impl Script {
    /// The command that makes the server know the script.
    pub(super) fn load(&self) -> Cmd {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(self.text);
        command
    }

    /// Its text.
    #[cfg(test)]
    pub(super) fn text(&self) -> &'static str {
        self.text
    }

    /// A call with these keys; arguments follow by [`Call::arg`].
    pub(super) fn call<'a>(&'static self, keys: &[&'a str]) -> Call<'a> {
        Call {
            script: self,
            keys: keys.to_vec(),
            arguments: Vec::new(),
        }
    }
}

/// A script with its keys and arguments.
pub(super) struct Call<'a> {
    script: &'static Script,
    keys: Vec<&'a str>,
    arguments: Vec<Vec<u8>>,
}

impl Call<'_> {
    /// Adds an argument.
    pub(super) fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }

    /// The call, by the script's digest.
    pub(super) fn command(&self) -> Cmd {
        let mut command = cmd("EVALSHA");
        command
            .arg(&*self.script.digest)
            .arg(self.keys.len())
            .arg(&self.keys);
        for argument in &self.arguments {
            command.arg(argument);
        }
        command
    }
}

/// The question which of all scripts the server knows.
pub(super) fn ask_known() -> Cmd {
    let mut command = cmd("SCRIPT");
    command.arg("EXISTS");
    for script in ALL {
        command.arg(&*script.digest);
    }
    command
}

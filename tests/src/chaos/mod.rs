//! Real chaos: private farms on which something goes wrong every few seconds, until their picture is done.
//!
//! Each run starts a redis-server with a log, four workers and the submitters of its scene, each behind a relay of its
//! own. A seed decides what is made, what goes wrong and when; programs, disks and networks run as they run, so that a
//! seed brings the same faults again, not the same microseconds. In the end each picture has to have the bytes that it
//! has in quiet, no submitter may have failed but as the pages say, and no key of a job may be left.
//!
//! - [`dice`]: chance that can be had again; [`fault`]: the kinds of fault; [`scene`]: what is made meanwhile
//! - [`stage`]: one farm, what is done to it and how that is undone; [`realm`]: its servers; [`crew`]: its processes
//! - [`mod@play`]: the course of a [`run`]; [`ends`]: how submitters end; [`watch`]: what is measured meanwhile; [`report`]: all runs together

pub mod crew;
pub mod dice;
pub mod ends;
pub mod fault;
pub mod play;
pub mod realm;
pub mod report;
pub mod run;
pub mod scene;
pub mod stage;
pub mod watch;

pub use play::{play, play_all};
pub use run::{RunRecord, Settings};

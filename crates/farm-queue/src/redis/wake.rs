//! Hints that something changed, by a published message on a connection of their own.
//!
//! A hint that is lost costs a poll and nothing else, so nothing here is retried or counted.

use std::sync::Arc;
use std::time::Duration;

use ::redis::{PushKind, Value, cmd};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::protocol::keys::{CONTROL, WAKE_CLAIM, WAKE_ENDED, WAKE_ORDERS, WAKE_URGENT};
use crate::redis::connect::Server;

/// Wait before a broken connection is opened anew.
const RECONNECT_WAIT: Duration = Duration::from_secs(1);
/// How often a silent connection is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// How many hints were heard so far, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct HintCounts {
    /// Messages, and connections after which some may have been missed.
    pub(super) hints: u64,
    /// Those of them that say that a strip was given back.
    pub(super) claims: u64,
    /// Those of them that say that a job ended.
    pub(super) ends: u64,
    /// Those of them that say that there is something urgent to lease.
    pub(super) urgent: u64,
    /// Those of them that say that an operator wants something.
    pub(super) orders: u64,
}

/// Listens for ever; the sender is told of every hint.
pub(super) async fn listen(server: Arc<Server>, heard: Arc<watch::Sender<HintCounts>>) {
    loop {
        if let Err(error) = listen_once(&server, &heard).await {
            tracing::debug!("no hints for now: {error}");
        }
        sleep(RECONNECT_WAIT).await;
    }
}

async fn listen_once(
    server: &Server,
    heard: &Arc<watch::Sender<HintCounts>>,
) -> Result<(), crate::QueueError> {
    let demotions = server.demotions();
    let broken = Arc::new(Notify::new());
    let (on_message, on_break) = (Arc::clone(heard), Arc::clone(&broken));
    let mut connection = server
        .open_push(move |push| {
            match push.kind {
                PushKind::Disconnection => on_break.notify_one(),
                PushKind::Message => {
                    let said = match push.data.get(1) {
                        Some(Value::BulkString(text)) => text.as_slice(),
                        _ => &[],
                    };
                    on_message.send_modify(|heard| {
                        heard.hints += 1;
                        heard.claims += u64::from(said == WAKE_CLAIM.as_bytes());
                        heard.ends += u64::from(said == WAKE_ENDED.as_bytes());
                        heard.urgent += u64::from(said == WAKE_URGENT.as_bytes());
                        heard.orders += u64::from(said == WAKE_ORDERS.as_bytes());
                    });
                }
                _ => {}
            }
            Ok(())
        })
        .await?;
    (connection.subscribe(CONTROL).await).map_err(|error| server.error(&error))?;
    // Something may have been said while nobody listened.
    heard.send_modify(|heard| {
        heard.hints += 1;
        heard.claims += 1;
        heard.ends += 1;
        heard.urgent += 1;
        heard.orders += 1;
    });
    loop {
        if timeout(PING_INTERVAL, broken.notified()).await.is_ok() {
            return Ok(());
        }
        // Another server is the master by now, and is the one to listen to.
        if server.demotions() != demotions {
            return Ok(());
        }
        (cmd("PING").exec_async(&mut connection).await).map_err(|error| server.error(&error))?;
    }
}

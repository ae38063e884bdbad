//! One job in the table and on a server: each step on both, and the same answers wanted.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use farm_queue::protocol::keys::{FAILED, GROUP, JobKeys, RELEASED};
use farm_queue::protocol::table::{
    CommitOutcome, Entry, EntryId, JobTable, Limits, Pending, TakenEntry,
};
use farm_queue::{JobId, LeaseState};
use redis::{Connection, Script, Value};

use super::dice::Dice;
use super::replies::{first_entry, kept, name_of, taken_over};

const WORKERS: [&str; 3] = ["ann", "bob", "cy"];
const SLOTS: u32 = 4;
/// Nothing runs out by itself.
const LEASE_MS: u64 = 3_600_000;
const LONG_IDLE_MS: u64 = 24 * LEASE_MS;
const NOW: Duration = Duration::from_secs(1);

macro_rules! script {
    ($name:literal) => {{
        static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
            Script::new(include_str!(concat!(
                "../../../src/redis/lua/",
                $name,
                ".lua"
            )))
        });
        &*SCRIPT
    }};
}

type Held = TakenEntry<&'static str>;

/// One job, in the table and on the server.
pub(super) struct Both {
    pub(super) table: JobTable<&'static str, String>,
    server: Connection,
    keys: JobKeys,
    limits: Limits,
    /// The table's names of entries, announcements and letters by the server's.
    names: BTreeMap<String, EntryId>,
    /// All that was ever handed out, with whom to.
    pub(super) history: Vec<(&'static str, Held, String)>,
    /// Announcements and letters that were read: the table's cursors and the server's.
    cursor: EntryId,
    stored: u64,
}

impl Both {
    pub(super) fn new(server: Connection) -> Self {
        let limits = Limits {
            lease: Duration::from_millis(LEASE_MS),
            ..Limits::default()
        };
        Self {
            table: JobTable::new(limits),
            server,
            keys: JobKeys::new(&JobId::generate()),
            limits,
            names: BTreeMap::new(),
            history: Vec::new(),
            cursor: 0,
            stored: 0,
        }
    }

    fn ask<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query(&mut self.server).expect("the server obeys")
    }

    pub(super) fn create(&mut self) {
        self.table.create();
        let keys = &self.keys;
        let mut call = script!("create").prepare_invoke();
        call.key(&keys.spec).key(&keys.queue).key(&keys.state);
        for argument in ["spec", "600000", GROUP, "1", "running", ""] {
            call.arg(argument);
        }
        let _: Value = call.invoke(&mut self.server).unwrap();
    }

    fn enqueue(&mut self, dice: &mut Dice) {
        let entry = Entry {
            slot: dice.below(SLOTS as usize) as u32,
            not: dice.one_in(4).then(|| WORKERS[dice.below(3)]),
            extra: dice.one_in(4),
        };
        let known = self.table.enqueue([entry.clone()]);
        let keys = &self.keys;
        let mut call = script!("enqueue").prepare_invoke();
        call.key(&keys.queue).key(&keys.bits).key(&keys.got);
        call.arg("2").arg(entry.slot);
        call.arg(entry.not.unwrap_or_default());
        call.arg(if entry.extra { "1" } else { "" });
        let answer: i64 = call.invoke(&mut self.server).unwrap();
        assert_eq!(answer > 0, known);
    }

    /// Notes a name that both must know by the same thing.
    fn same(&mut self, theirs: &str, ours: EntryId) {
        let named = *self.names.entry(theirs.to_owned()).or_insert(ours);
        assert_eq!(named, ours, "{theirs} is another entry");
    }

    fn handed_out(
        &mut self,
        worker: &'static str,
        ours: Option<Held>,
        theirs: Option<(String, u32, u32)>,
    ) {
        let answer = theirs.as_ref().map(|(_, attempt, slot)| (*attempt, *slot));
        let expected = ours.as_ref().map(|taken| (taken.attempt, taken.entry.slot));
        assert_eq!(answer, expected);
        if let (Some(taken), Some((id, ..))) = (ours, theirs) {
            self.same(&id, taken.id);
            self.history.push((worker, taken, id));
        }
    }

    fn lease(&mut self, worker: &'static str) {
        let ours = self.table.lease(&worker, NOW);
        let queue = self.keys.queue.clone();
        let mut theirs = None;
        // As a worker does: what is not for it is given back.
        loop {
            let words = [
                "XREADGROUP",
                "GROUP",
                GROUP,
                worker,
                "COUNT",
                "1",
                "STREAMS",
            ];
            let mut command = redis::Cmd::new();
            command.arg(&words).arg(&queue).arg(">");
            let Ok(answer) = command.query::<Value>(&mut self.server) else {
                break;
            };
            let Some((id, fields)) = first_entry(answer) else {
                break;
            };
            if fields.get("n").map(String::as_str) != Some(worker) {
                theirs = Some((id, 1, fields["s"].parse().unwrap()));
                break;
            }
            assert_eq!(self.give_back(worker, &id, 1), 1);
        }
        self.handed_out(worker, ours, theirs);
    }

    fn claim(&mut self, worker: &'static str, dice: &mut Dice) {
        // Some of what was handed out is left to others, until it was delivered once to four times.
        let mut passed = Vec::new();
        for (_, taken, id) in &self.history {
            if dice.one_in(4) {
                passed.push((taken.id, id.clone(), 1 + dice.below(4) as u32));
            }
        }
        // The last word of one entry counts on the server, any in the table.
        passed.reverse();
        let mut seen = std::collections::BTreeSet::new();
        passed.retain(|(id, ..)| seen.insert(*id));
        let ids: Vec<_> = passed.iter().map(|(id, _, until)| (*id, *until)).collect();
        let ours = self.table.claim(&worker, NOW, &ids);
        let keys = &self.keys;
        let mut call = script!("claim").prepare_invoke();
        call.key(&keys.queue).key(&keys.dead);
        call.key(&keys.why).key(&keys.bits);
        call.arg(GROUP).arg(worker).arg(LEASE_MS);
        call.arg(self.limits.deliveries).arg("2").arg("600000");
        call.arg(RELEASED).arg(FAILED).arg(worker);
        for (_, id, until) in &passed {
            call.arg(id).arg(until);
        }
        let answer: Value = call.invoke(&mut self.server).unwrap();
        self.handed_out(worker, ours, taken_over(answer));
    }

    fn adopt(&mut self, worker: &'static str, dice: &mut Dice) {
        let mine = |(w, ..): &&(&str, Held, String)| *w == worker;
        let known: Vec<_> = (self.history.iter().filter(mine))
            .filter(|_| !dice.one_in(4))
            .map(|(_, taken, id)| (taken.id, id.clone()))
            .collect();
        let ids: Vec<EntryId> = known.iter().map(|(id, _)| *id).collect();
        let ours = self.table.adopt(&worker, &ids, NOW);
        let mut call = script!("adopt").prepare_invoke();
        call.key(&self.keys.queue).arg(GROUP).arg(worker);
        for (_, id) in &known {
            call.arg(id);
        }
        let answer: Value = call.invoke(&mut self.server).unwrap();
        self.handed_out(worker, ours, taken_over(answer));
    }

    fn heartbeat(&mut self, worker: &'static str, taken: &Held, id: &str) {
        let ours = match self.table.heartbeat(&worker, taken, NOW) {
            LeaseState::Held => 1,
            LeaseState::Lost => 0,
            LeaseState::JobGone => -1,
        };
        let mut call = script!("heartbeat").prepare_invoke();
        call.key(&self.keys.queue).key(&self.keys.bits);
        call.arg(GROUP).arg(worker).arg(id).arg(taken.attempt);
        call.arg(taken.entry.slot);
        assert_eq!(call.invoke::<i64>(&mut self.server).unwrap(), ours);
    }

    fn store(&mut self, slot: u32) {
        self.stored += 1;
        let bytes = self.stored.to_string();
        let ours = self.table.store(slot, bytes.clone());
        let result = self.keys.result(slot);
        let theirs: Option<String> = self.ask(&["SET", &result, &bytes, "NX"]);
        assert_eq!(theirs.is_some(), ours);
    }

    fn commit(&mut self, taken: &Held, id: &str) {
        let slot = taken.entry.slot;
        let ours = match self.table.commit(taken.id, slot) {
            CommitOutcome::First => 1,
            CommitOutcome::Duplicate => 0,
            CommitOutcome::JobGone => -1,
            CommitOutcome::NoBuffer => -2,
        };
        let (keys, result) = (&self.keys, self.keys.result(slot));
        let mut call = script!("commit").prepare_invoke();
        call.key(&keys.queue).key(&result);
        call.key(&keys.bits).key(&keys.got).key(&keys.done);
        call.arg(GROUP).arg(id).arg(slot).arg("2").arg("600000");
        assert_eq!(call.invoke::<i64>(&mut self.server).unwrap(), ours);
    }

    fn give_back(&mut self, worker: &str, id: &str, attempt: u32) -> i64 {
        let mut call = script!("release").prepare_invoke();
        call.key(&self.keys.queue);
        call.arg(GROUP).arg(worker).arg(id).arg(attempt);
        call.arg(RELEASED).arg(LONG_IDLE_MS).arg("ctl").arg("claim");
        call.invoke(&mut self.server).unwrap()
    }

    fn release(&mut self, worker: &'static str, taken: &Held, id: &str) {
        let ours = self.table.release(&worker, taken);
        assert_eq!(self.give_back(worker, id, taken.attempt) == 1, ours);
    }

    fn fail(&mut self, worker: &'static str, taken: &Held, id: &str) {
        let reason = format!("{worker}: no");
        let ours = self.table.fail(&worker, taken, &reason);
        let keys = &self.keys;
        let mut call = script!("fail").prepare_invoke();
        call.key(&keys.queue).key(&keys.dead);
        call.key(&keys.why).key(&keys.bits);
        call.arg(GROUP).arg(worker).arg(id).arg(taken.attempt);
        call.arg(FAILED).arg(LONG_IDLE_MS).arg("ctl").arg("claim");
        call.arg(taken.entry.slot).arg(reason);
        call.arg(self.limits.deliveries).arg("2").arg("600000");
        assert_eq!(call.invoke::<i64>(&mut self.server).unwrap() > 0, ours);
    }

    fn leave(&mut self, worker: &'static str) {
        let ours = self.table.leave(&worker);
        let mut call = script!("leave").prepare_invoke();
        call.key(&self.keys.queue).arg(GROUP).arg(worker);
        assert_eq!(call.invoke::<i64>(&mut self.server).unwrap() == 1, ours);
    }

    fn age(&mut self, id: &str) {
        let Some(queue) = self.table.queue_mut() else {
            return;
        };
        let ours = self.names[id];
        let Some(Pending {
            owner, deliveries, ..
        }) = queue.pending(ours).cloned()
        else {
            return;
        };
        queue.age(ours);
        let (key, count) = (self.keys.queue.clone(), deliveries.to_string());
        let idle = LONG_IDLE_MS.to_string();
        let owner = name_of(&owner);
        let _: Value = self.ask(&[
            "XCLAIM",
            &key,
            GROUP,
            owner,
            "0",
            id,
            "IDLE",
            &idle,
            "RETRYCOUNT",
            &count,
            "JUSTID",
        ]);
    }

    /// The announcements on the server, in order.
    fn announced(&mut self, stream: &str) -> Vec<(String, BTreeMap<String, String>)> {
        self.ask(&["XRANGE", stream, "-", "+"])
    }

    /// Takes or rejects one announcement, as a submitter would.
    fn collect(&mut self, reject: bool) {
        let ours = self.table.announced(0).next();
        let done = self.keys.done.clone();
        let theirs = self.announced(&done).into_iter().next();
        let slot_of = |fields: &BTreeMap<String, String>| fields["s"].parse::<u32>().unwrap();
        assert_eq!(
            ours.map(|(_, slot)| slot),
            theirs.as_ref().map(|(_, fields)| slot_of(fields))
        );
        let (Some((id, slot)), Some((their_id, _))) = (ours, theirs) else {
            return;
        };
        let keys = &self.keys;
        let result = keys.result(slot);
        let mut call;
        if reject {
            self.table.reject(slot, id);
            call = script!("reject").prepare_invoke();
            call.key(&keys.bits).key(&keys.got).key(&keys.done);
            call.key(&result).arg(slot).arg(&their_id);
        } else {
            self.table.take(slot, id);
            call = script!("take").prepare_invoke();
            call.key(&keys.got).key(&keys.done).key(&keys.why);
            call.key(&result);
            call.arg("600000").arg(slot).arg(&their_id);
        }
        let _: i64 = call.invoke(&mut self.server).unwrap();
    }

    fn read_letter(&mut self) {
        let dead = self.keys.dead.clone();
        let theirs = self.announced(&dead).into_iter().next();
        let ours = self.table.letters(self.cursor).next().map(|(id, _)| id);
        if let (Some(ours), Some((theirs, _))) = (ours, theirs) {
            self.table.remove_letter(ours);
            let _: i64 = self.ask(&["XDEL", &dead, &theirs]);
        }
    }

    pub(super) fn finish(&mut self) {
        self.table.finish();
        let keys = self.keys.clone();
        let mut words = vec!["UNLINK"];
        words.extend(keys.fixed());
        let results: Vec<String> = (0..SLOTS).map(|slot| keys.result(slot)).collect();
        words.extend(results.iter().map(String::as_str));
        let _: i64 = self.ask(&words);
        // A stream made anew in the same millisecond would use names twice; the table never does.
        std::thread::sleep(Duration::from_millis(2));
    }

    /// All that both hold is the same.
    pub(super) fn compare(&mut self) {
        let keys = self.keys.clone();
        // Entries, in order.
        let theirs: Vec<u32> = (self.announced(&keys.queue).iter())
            .map(|(_, fields)| fields["s"].parse().unwrap())
            .collect();
        let ours: Vec<u32> = self.table.under_way().map(|(_, e, _)| e.slot).collect();
        assert_eq!(theirs, ours);
        // Who has them.
        let theirs: Vec<(String, String, u64, u32)> = if self.table.queue().is_some() {
            self.ask(&["XPENDING", &keys.queue, GROUP, "-", "+", "99"])
        } else {
            Vec::new()
        };
        let theirs: Vec<(String, u32, bool)> = (theirs.into_iter())
            .map(|(_, owner, idle, count)| (owner, count, idle >= LEASE_MS))
            .collect();
        let pending = self.table.queue().into_iter().flat_map(|q| q.all_pending());
        let ours: Vec<(String, u32, bool)> = pending
            .map(|(_, p)| {
                (
                    name_of(&p.owner).to_owned(),
                    p.deliveries,
                    p.since.is_none(),
                )
            })
            .collect();
        assert_eq!(theirs, ours);
        // What is done, what is dead, and why.
        let theirs: Vec<u32> = (self.announced(&keys.done).iter())
            .map(|(_, fields)| fields["s"].parse().unwrap())
            .collect();
        let ours: Vec<u32> = self.table.announced(0).map(|(_, slot)| slot).collect();
        assert_eq!(theirs, ours);
        let theirs: Vec<(u32, String)> = (self.announced(&keys.dead).iter())
            .map(|(_, fields)| (fields["s"].parse().unwrap(), kept(&fields["r"])))
            .collect();
        let lines = |reasons: &[String]| -> String {
            reasons.iter().map(|reason| format!("{reason}\n")).collect()
        };
        let ours: Vec<(u32, String)> = (self.table.letters(0))
            .map(|(_, letter)| (letter.slot, lines(&letter.reasons)))
            .collect();
        assert_eq!(theirs, ours);
        for slot in 0..SLOTS {
            let at = slot.to_string();
            let bit: bool = self.ask(&["GETBIT", &keys.bits, &at]);
            let got: bool = self.ask(&["GETBIT", &keys.got, &at]);
            let result: Option<String> = self.ask(&["GET", &keys.result(slot)]);
            let why: Option<String> = self.ask(&["HGET", &keys.why, &at]);
            assert_eq!(bit, self.table.is_committed(slot));
            assert_eq!(got, self.table.is_collected(slot));
            assert_eq!(result.as_ref(), self.table.result(slot));
            assert_eq!(
                kept(&why.unwrap_or_default()),
                lines(self.table.reasons(slot))
            );
        }
    }

    pub(super) fn step(&mut self, dice: &mut Dice) {
        let worker = WORKERS[dice.below(3)];
        match dice.below(16) {
            0..3 => self.enqueue(dice),
            3 | 4 => self.lease(worker),
            5 | 6 => self.claim(worker, dice),
            7 if dice.one_in(3) => self.adopt(worker, dice),
            7 => self.leave(worker),
            8 => self.collect(dice.one_in(4)),
            9 => self.read_letter(),
            10 if dice.one_in(8) => self.finish(),
            10 => self.create(),
            _ if self.history.is_empty() => {}
            kind => {
                let lately = self.history.len().min(6);
                let at = self.history.len() - 1 - dice.below(lately);
                let (owner, taken, id) = self.history[at].clone();
                // Mostly who had it; at times anybody.
                let worker = if dice.one_in(5) { worker } else { owner };
                match kind {
                    11 => self.heartbeat(worker, &taken, &id),
                    12 => self.store(taken.entry.slot),
                    13 => self.commit(&taken, &id),
                    14 => self.age(&id),
                    _ if dice.one_in(2) => self.release(worker, &taken, &id),
                    _ => self.fail(worker, &taken, &id),
                }
            }
        }
    }
}

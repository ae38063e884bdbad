//! The tasks beside the loop that collects. None of them ends before it is told to without having said why; one that
//! does is a fault, and not a reason to wait.

use std::collections::HashMap;

use farm_worker::Fault;
use tokio::task::{Id, JoinSet};

/// Running tasks by what they do; they end with this.
#[derive(Default)]
pub struct Tasks {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Tasks {
    /// Starts one.
    pub fn start(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Resolves when one has ended.
    pub async fn ended(&mut self) -> Fault {
        let Some(ended) = self.tasks.join_next_with_id().await else {
            return std::future::pending().await;
        };
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        let name = self.names.remove(&id).unwrap_or("a task");
        match ended {
            Ok(_) => Fault::ended(name),
            Err(error) => Fault::of_task(name, error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_ends_is_named() {
        let mut tasks = Tasks::default();
        tasks.start("the task that waits", std::future::pending());
        tasks.start("the task that breaks", async { panic!("no more") });
        let said = tasks.ended().await.to_string();
        assert!(
            said.starts_with("the task that breaks") && said.ends_with("no more"),
            "{said}"
        );
        tasks.start("the task that ends", async {});
        let said = tasks.ended().await.to_string();
        assert!(said.starts_with("the task that ends ended"), "{said}");
    }
}

//! What the conformance cases prepare and read back.

use std::collections::BTreeMap;

use super::MemoryPorts;
use crate::testing::conformance::{Arrange, ArrangeError, Delivered};

impl Arrange for MemoryPorts {
    async fn create_inbox(&self, name: &str) -> Result<String, ArrangeError> {
        let url = self.inbox_url(name);
        self.create_queue(url.clone());
        Ok(url)
    }

    async fn remove_inbox(&self, url: &str) -> Result<(), ArrangeError> {
        self.state().inboxes.remove(url);
        Ok(())
    }

    fn inbox_url(&self, name: &str) -> String {
        format!("memory://{name}")
    }

    async fn drain_inbox(&self, url: &str) -> Result<Vec<Delivered>, ArrangeError> {
        let mut state = self.state();
        let queue = state.inboxes.get_mut(url).map(std::mem::take).unwrap_or_default();
        let bare = |body| Delivered {
            body,
            attributes: BTreeMap::new(),
        };
        Ok(queue.into_iter().map(|message| bare(message.body)).collect())
    }

    async fn drain_dead_letters(&self) -> Result<Vec<Delivered>, ArrangeError> {
        let letters = std::mem::take(&mut self.state().dead_letters);
        let delivered = letters.into_iter().map(|letter| Delivered {
            body: letter.body,
            attributes: BTreeMap::from([("reason".to_owned(), letter.reason.to_owned())]),
        });
        Ok(delivered.collect())
    }
}

//! How far a log has been read, on a terminal.

use std::sync::Arc;

use audit_verifier::Progress as Read;

use crate::progress::Bar;

const TEMPLATE: &str = "{wide_bar:.cyan/dim} {human_pos}/{human_len} objects · {eta} left";

/// The bar of everything that is read, of whichever log.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Bar>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Bar::new(TEMPLATE, 0)))
    }

    /// Takes what was read, from any thread.
    pub(super) fn add(&self, read: Read) {
        self.0.moved(|bar| {
            bar.inc_length(read.due);
            bar.inc(read.objects);
        });
    }

    /// For who tells it.
    pub(super) fn told(&self) -> Arc<dyn Fn(Read) + Send + Sync> {
        let progress = self.clone();
        Arc::new(move |read| progress.add(read))
    }

    pub(super) fn finish(&self) {
        self.0.finish();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    use super::*;

    #[test]
    fn the_template_is_understood() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
    }

    #[test]
    fn chains_that_come_later_make_it_longer() {
        let progress = Progress::new();
        let read = |due, objects| Read {
            due,
            objects,
            ..Read::default()
        };
        [read(3, 0), read(0, 1), read(4, 0), read(0, 1)]
            .into_iter()
            .for_each(progress.told().as_ref());
        progress
            .0
            .moved(|bar| assert_eq!((bar.length(), bar.position()), (Some(7), 2)));
    }
}

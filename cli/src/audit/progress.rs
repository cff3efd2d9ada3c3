//! How far a log has been read, on a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audit_verifier::Progress as Read;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

const TEMPLATE: &str = "{wide_bar:.cyan/dim} {human_pos}/{human_len} objects · {eta} left";

/// What is over before somebody looks at it is not worth drawing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Drawn on standard error if that is a terminal, once it takes a while; elsewhere it does nothing.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    drawn: Arc<AtomicBool>,
}

impl Progress {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        Self {
            bar: bar.with_style(style.progress_chars("━╸─")),
            begun: Instant::now(),
            drawn: Arc::default(),
        }
    }

    /// Takes what was read, from any thread.
    pub(super) fn add(&self, read: Read) {
        self.bar.inc_length(read.due);
        self.bar.inc(read.objects);
        if self.begun.elapsed() > PATIENCE && !self.drawn.swap(true, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// For who tells it.
    pub(super) fn told(&self) -> Arc<dyn Fn(Read) + Send + Sync> {
        let progress = self.clone();
        Arc::new(move |read| progress.add(read))
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!((progress.bar.length(), progress.bar.position()), (Some(7), 2));
    }
}

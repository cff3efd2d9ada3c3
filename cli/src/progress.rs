//! A bar on standard error, if that is a terminal, once something takes a while; elsewhere it does nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

/// What is over before somebody looks at it is not worth drawing.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Bar {
    drawing: ProgressBar,
    begun: Instant,
    drawn: AtomicBool,
}

impl Bar {
    /// Hidden, and so long, for now.
    pub(crate) fn new(template: &str, length: u64) -> Self {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        Self {
            drawing: bar.with_style(style.progress_chars("━╸─")),
            begun: Instant::now(),
            drawn: AtomicBool::new(false),
        }
    }

    /// Moves it, from any thread, and shows it if it is time.
    pub(crate) fn moved(&self, to: impl FnOnce(&ProgressBar)) {
        to(&self.drawing);
        if self.begun.elapsed() > PATIENCE && !self.drawn.swap(true, Ordering::Relaxed) {
            self.drawing.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    pub(crate) fn finish(&self) {
        self.drawing.finish_and_clear();
    }
}

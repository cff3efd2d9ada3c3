//! How far a submission has come, on a terminal.

use std::cell::Cell;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

const TEMPLATE: &str = "{wide_bar:.cyan/dim} {human_pos}/{human_len} acknowledged · {eta} left";

/// What is over before somebody looks at it is not worth drawing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Drawn on standard error if that is a terminal, once it takes a while; elsewhere it does nothing.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    begun: Instant,
    drawn: Cell<bool>,
}

impl Progress {
    pub(super) fn new(messages: usize, before: usize) -> Self {
        let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(messages as u64), ProgressDrawTarget::hidden())
            .with_style(style.progress_chars("━╸─"));
        bar.set_position(before as u64);
        // What was sent by an earlier run says nothing of how fast this one is.
        bar.reset_eta();
        Self {
            bar,
            begun: Instant::now(),
            drawn: Cell::new(false),
        }
    }

    pub(super) fn set(&self, acknowledged: usize) {
        self.bar.set_position(acknowledged as u64);
        if !self.drawn.get() && self.begun.elapsed() > PATIENCE {
            self.drawn.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
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
}

//! How far a run has come, on standard error.

use std::fmt::Write;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

const TEMPLATE: &str =
    "{spinner:.cyan} {wide_bar:.cyan/dim} {human_pos}/{human_len} · {rate} · {eta} left · {msg}";

/// Ten times a second: it moves, and costs nothing.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar that counts messages. Shown on a terminal only; elsewhere it does nothing.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Starts at nothing of `total`; not drawn unless `shown` and standard error is a terminal.
    #[must_use]
    pub fn new(total: u64, shown: bool) -> Self {
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_style(style());
        let progress = Self { bar };
        progress.set_matches(0);
        if !progress.bar.is_hidden() {
            progress.bar.enable_steady_tick(TICK);
        }
        progress
    }

    /// So many messages more are done.
    pub fn inc(&self, messages: u64) {
        self.bar.inc(messages);
    }

    /// So many matches were made up to now.
    pub fn set_matches(&self, so_far: u64) {
        let noun = if so_far == 1 { "match" } else { "matches" };
        self.bar
            .set_message(format!("{} {noun}", indicatif::HumanCount(so_far)));
    }

    /// Takes the bar off the terminal: the picture of the run comes in its place.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─").with_key("rate", write_rate)
}

/// Whole messages: the fraction that indicatif writes by itself only flickers.
fn write_rate(state: &ProgressState, to: &mut dyn Write) {
    // A bar that cannot be written shows no rate; there is nobody to tell.
    let _ = write!(to, "{:.0}/s", state.per_sec());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_is_understood() {
        ProgressStyle::with_template(TEMPLATE).unwrap();
    }

    #[test]
    fn counts_unseen() {
        let progress = Progress::new(10, false);
        progress.inc(3);
        progress.set_matches(1);
        assert!(progress.bar.is_hidden());
        assert_eq!(progress.bar.position(), 3);
        assert_eq!(progress.bar.message(), "1 match");
        progress.finish();
        assert!(progress.bar.is_finished());
    }
}

//! How far a submission has come, on a terminal.

use crate::progress::Bar;

const TEMPLATE: &str = "{wide_bar:.cyan/dim} {human_pos}/{human_len} acknowledged · {eta} left";

/// The bar of what SQS has acknowledged.
#[derive(Debug)]
pub(super) struct Progress(Bar);

impl Progress {
    pub(super) fn new(messages: usize, before: usize) -> Self {
        let bar = Bar::new(TEMPLATE, messages as u64);
        bar.moved(|bar| {
            bar.set_position(before as u64);
            // What was sent by an earlier run says nothing of how fast this one is.
            bar.reset_eta();
        });
        Self(bar)
    }

    pub(super) fn set(&self, acknowledged: usize) {
        self.0.moved(|bar| bar.set_position(acknowledged as u64));
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
}

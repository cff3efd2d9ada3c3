//! The matcher's composition root: settings, clients once, run.



fn main() {}

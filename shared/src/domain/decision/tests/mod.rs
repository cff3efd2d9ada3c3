//! Decisions, run: rules one by one, and whole scripts at the end of which every invariant is checked.

mod bodies;
mod rules;
mod scripts;
pub(in crate::domain) mod world;

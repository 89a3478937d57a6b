//! The one integration binary: its modules are the files beside this one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod capture_damage;
mod capture_files;
mod cards;
mod command_line;
mod frame_layers;
mod layering;
mod partial;
mod public_captures;
mod scenarios;
mod support;
mod truth;
mod witnesses;

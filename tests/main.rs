//! The one integration binary: its modules are the files beside this one.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bench_inputs;
mod capture_damage;
mod capture_files;
mod capturing;
mod cards;
mod channel;
mod charts;
mod command_line;
mod contrib;
mod docs;
mod findings;
mod frame_layers;
mod fuzz_smoke;
mod infer;
mod layering;
mod lint;
mod live;
mod metrics;
mod metrics_served;
mod metrics_text;
mod parallel;
mod partial;
mod public_captures;
#[cfg(feature = "sql")]
mod query;
#[cfg(not(feature = "sql"))]
mod query_elsewhere;
mod replay;
mod report;
mod scenarios;
mod score;
mod session;
mod shell;
mod support;
mod topology_infer;
mod truth;
#[cfg(feature = "live")]
mod view;
mod witnesses;

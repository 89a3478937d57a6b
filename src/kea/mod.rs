//! Kea's own artefacts: its configuration files, the messages of its control
//! channel ([`channel`]), its [`log`] and its [`leases`] file.
//!
//! A file becomes a [`document::Document`] (a tree of values that know where
//! they stand), and [`config`] takes the parts out of it that decide who
//! answers a client. Kea is liberal in what it writes into these files
//! (comments, extra commas, includes) and strict in what it makes of them;
//! both are followed here, so a file that loads here is one that Kea loads as
//! far as these parts go.
//!
//! Reading order: [`document`], `lexer` and `parser` (the JSON dialect),
//! [`field`] (typed access with error places), [`config`].

pub mod channel;
pub mod config;
mod control;
mod dhcp4;
pub mod document;
pub mod field;
pub mod leases;
mod lexer;
pub mod log;
mod number;
mod parser;
mod pool;
pub(crate) mod relationship;
mod subnet;
pub mod text_file;
mod toml;
mod url;

//! Kea's own artefacts: its configuration files, and the messages of its
//! control channel ([`channel`]).
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
mod lexer;
mod number;
mod parser;
mod pool;
mod relationship;
mod subnet;
mod toml;
mod url;

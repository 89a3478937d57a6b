//! `dorascope sniff` on interfaces, in network namespaces of the tests' own.

pub mod place;
mod same;
mod turns;

//! `dorascope sniff` on interfaces, in network namespaces of the tests' own.

mod place;
mod same;
mod turns;

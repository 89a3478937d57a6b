//! `dorascope query`: SQL over the tables, in a build that has it.

#[cfg(not(feature = "sql"))]
mod elsewhere;
#[cfg(feature = "sql")]
mod here;

#[cfg(not(feature = "sql"))]
pub use elsewhere::run;
#[cfg(feature = "sql")]
pub use here::run;

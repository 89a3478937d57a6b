//! Builders of frames and capture files, and a place for temporary files.

pub mod dhcp;
pub mod exposition;
pub mod files;
pub mod frames;
pub mod html;
pub mod page;
pub mod promql;
pub mod random;
pub mod temp;
pub mod watched;

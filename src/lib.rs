//! dorascope.
pub mod capture;
pub mod dhcp;
pub mod exchange;
pub mod frame;
pub mod ha;
pub mod kea;
pub mod pipeline;
pub mod units;

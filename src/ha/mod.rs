//! Kea's High Availability rules over the packets.
//!
//! Reading order: [`topology`] (what the user said), [`infer`] (what the packets say
//! where nobody did), [`network`] (joined with what the packets revealed), [`state`]
//! (what a server serves in each state), [`machine`] (how it gets from one to the
//! next), [`events`] and [`updates`] (the control channel), [`replay`] (that machine
//! run over the capture), [`timeline`] (which server served which scope when),
//! [`decide`] (what Kea's rules expect of one server for one query), [`verdict`] (the
//! sentence), [`witness`] (Kea's logs and lease files), [`catalogue`] (every code with its meaning), [`hash`] (RFC 3074),
//! [`lint`] (what is wrong in the configuration files, without a packet).

pub mod catalogue;
pub mod decide;
pub mod events;
pub mod expect;
pub mod hash;
pub mod infer;
pub mod lint;
pub mod machine;
pub mod network;
pub mod replay;
pub mod severity;
pub mod state;
pub mod timeline;
pub mod topology;
pub mod topology_file;
pub mod updates;
pub mod verdict;
pub mod witness;

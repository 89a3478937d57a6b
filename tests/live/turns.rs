//! What happens to a sensor: interfaces, disks, readers and users, one after another.

//! Gives up what is not needed any more, before anything from strangers is read.
//!
//! Rights belong to threads and are inherited, so all of this comes before the first thread is begun.
//! What a kernel does not know it does not enforce; that is told where somebody asked for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use caps::{CapSet, Capability, CapsHashSet};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus, Scope,
};

/// The newest set of rules that this was tried with.
const KNOWN: ABI = ABI::V6;

/// Root without capabilities may write to its own directories only, so it becomes the owner of those that it is to
/// write to.
pub fn become_owner(folders: &[PathBuf]) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    if !nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    let mut owners = Vec::new();
    for folder in folders {
        // One that is made first belongs to whom its parent belongs to.
        let folder = folder.ancestors().find(|it| it.exists()).unwrap_or(Path::new("."));
        let there = fs::metadata(folder).with_context(|| format!("cannot use {}", folder.display()))?;
        // Everybody may write there, as in /tmp.
        if there.mode() & 0o002 == 0 {
            owners.push((there.uid(), there.gid(), folder));
        }
    }
    let Some(&(uid, gid, first)) = owners.first() else { return Ok(()) };
    if let Some((.., other)) = owners.iter().find(|owner| owner.0 != uid) {
        bail!(
            "{} and {} belong to different users, and without capabilities root is none of them",
            first.display(),
            other.display()
        );
    }
    if uid == 0 {
        return Ok(());
    }
    let (uid, gid) = (nix::unistd::Uid::from_raw(uid), nix::unistd::Gid::from_raw(gid));
    nix::unistd::setgroups(&[gid])
        .and_then(|()| nix::unistd::setresgid(gid, gid, gid))
        .and_then(|()| nix::unistd::setresuid(uid, uid, uid))
        .with_context(|| format!("cannot become the owner of {}", first.display()))
}

/// Drops every capability but those to keep, as far as they are held.
pub fn drop_capabilities(keep: &[Capability]) -> Result<()> {
    let kept: CapsHashSet = keep.iter().copied().collect();
    let held = caps::read(None, CapSet::Permitted).context("cannot read the capabilities")?;
    let kept: CapsHashSet = held.intersection(&kept).copied().collect();
    // A kernel without ambient capabilities has none to clear.
    let _ = caps::clear(None, CapSet::Ambient);
    caps::clear(None, CapSet::Inheritable).context("cannot drop the capabilities")?;
    caps::set(None, CapSet::Effective, &kept).context("cannot drop the capabilities")?;
    caps::set(None, CapSet::Permitted, &kept).context("cannot drop the capabilities")
}

/// From now on nothing else can be read and written than beneath these paths, no address can be connected to or
/// listened on, and no program can gain rights. False where the kernel has no such rules.
pub fn restrict(read: &[PathBuf], write: &[PathBuf]) -> Result<bool> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::from_all(KNOWN))?
        .scope(Scope::from_all(KNOWN))?
        .create()?;
    for (paths, access) in [
        (read, AccessFs::from_read(KNOWN) & !AccessFs::Execute),
        (write, AccessFs::from_all(KNOWN) & !AccessFs::Execute),
    ] {
        for path in paths {
            // What is not there cannot be opened, whatever the rules say; pipes of a shell are no files, and have none.
            let Ok(opened) =
                path.canonicalize().map_err(drop).and_then(|path| PathFd::new(path).map_err(drop))
            else {
                continue;
            };
            let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
            ruleset = ruleset.add_rule(PathBeneath::new(opened, access))?;
        }
    }
    let status = ruleset.restrict_self().context("cannot restrict the program")?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules hold for the thread that they are made in, so this one alone is confined.
    #[test]
    fn nothing_else_can_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (read, write) = (folder.path().join("read"), folder.path().join("write"));
        fs::write(&read, "x").unwrap();
        fs::create_dir(&write).unwrap();
        let inside = std::thread::spawn(move || {
            if !restrict(std::slice::from_ref(&read), std::slice::from_ref(&write)).unwrap() {
                println!("SKIPPED: this kernel has no Landlock");
                return;
            }
            assert_eq!(fs::read_to_string(&read).unwrap(), "x");
            assert!(fs::write(&read, "y").is_err() && fs::read("/etc/passwd").is_err());
            fs::write(write.join("new"), "z").unwrap();
            fs::rename(write.join("new"), write.join("old")).unwrap();
            assert!(fs::write(read.with_file_name("other"), "z").is_err());
            assert!(std::process::Command::new("/bin/true").status().is_err());
            let connected = std::net::TcpListener::bind("127.0.0.1:0");
            assert!(connected.is_err(), "{connected:?}");
        });
        inside.join().unwrap();
    }
}

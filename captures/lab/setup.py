"""What the lab needs on the machine: a few programs, and real Kea in a chroot."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CHROOT = REPOSITORY / "target" / "lab" / "trixie"

# Debian 12's own Kea (2.2) has one HA relationship per server; a hub needs trixie's 2.6.
SUITE = "trixie"
KEA_PACKAGES = ["kea-dhcp4-server", "kea-ctrl-agent"]

# A chroot has no terminal to give to dpkg.
QUIETLY = ["--no-install-recommends", "-y", "-o", "Dpkg::Use-Pty=0"]

PROGRAM_PACKAGE = {
    "busybox": "busybox",
    "debootstrap": "debootstrap",
    "dhclient": "isc-dhcp-client",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "mount": "mount",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
    "unshare": "util-linux",
}


def obstacle():
    """Why nothing can be recorded on this machine, in one sentence; None when it can."""
    if os.geteuid() != 0:
        return "it makes network namespaces, which only root may"
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        return "network, mount or process namespaces are not allowed here"
    if CHROOT.exists():
        return None
    if not shutil.which("apt-get"):
        return "it takes Kea from Debian, with apt-get"
    release = f"{_mirror()}/dists/{SUITE}/InRelease"
    try:
        urllib.request.urlopen(release, timeout=20).close()
    except OSError as error:
        return f"{release} cannot be fetched ({error})"
    return None


def ensure():
    if os.geteuid() != 0:
        raise SystemExit("the lab makes network namespaces: run it as root")
    _install_programs()
    if not CHROOT.exists():
        _make_chroot()


def _install_programs():
    missing = sorted({package for program, package in PROGRAM_PACKAGE.items() if not shutil.which(program)})
    if missing:
        print("installing", *missing, flush=True)
        # A third-party source that does not answer must not stop us; a package that is not there will.
        subprocess.run(["apt-get", "update"], check=False, stdout=subprocess.DEVNULL)
        _apt(["apt-get", "install", *QUIETLY, *missing])


def _make_chroot():
    """Debootstrap beside the final place and rename: a chroot that exists is a chroot that is whole."""
    print(f"making {CHROOT.relative_to(REPOSITORY)} with Kea from Debian {SUITE}, once; about a minute", flush=True)
    unfinished = CHROOT.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", SUITE, unfinished, _mirror()], check=True, stdout=subprocess.DEVNULL)
    no_daemons = unfinished / "usr/sbin/policy-rc.d"
    no_daemons.write_text("#!/bin/sh\nexit 101\n")
    no_daemons.chmod(0o755)
    _apt(["chroot", unfinished, "apt-get", "install", *QUIETLY, *KEA_PACKAGES])
    unfinished.rename(CHROOT)


def _mirror():
    """The Debian mirror that this machine's own apt sources name."""
    mirror = _listed_mirror()
    if not mirror:
        # A new machine may have no package lists yet.
        subprocess.run(["apt-get", "update"], check=False, stdout=subprocess.DEVNULL)
        mirror = _listed_mirror()
    if not mirror:
        raise SystemExit("no Debian mirror in this machine's apt sources")
    return mirror.rstrip("/")


def _listed_mirror():
    template = "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", template, "Created-By: Packages"],
        check=True, capture_output=True, text=True,
    ).stdout
    for line in listed.splitlines():
        origin, label, component, uri = line.split("|", 3)
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return uri
    return None


def _apt(command):
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)

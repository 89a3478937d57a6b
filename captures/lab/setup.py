"""What the lab needs on the machine: a few programs, and real Kea in a chroot."""

import os
import shutil
import subprocess
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# Debian release → its Kea. 2.2 has one HA relationship per server, so a hub needs 2.6 or later.
KEA = {"bookworm": "2.2", "trixie": "2.6", "sid": "3.0"}
KEA_PACKAGES = ["kea-dhcp4-server", "kea-ctrl-agent"]

# What is played beside Kea, always taken from here: on the machine itself a package would start its daemon.
TOOLS_SUITE = "trixie"
TOOL_PACKAGES = ["isc-dhcp-relay", "dnsmasq-base", "libfaketime"]

# A chroot has no terminal to give to dpkg.
QUIETLY = ["--no-install-recommends", "-y", "-o", "Dpkg::Use-Pty=0"]

PROGRAM_PACKAGE = {
    "busybox": "busybox",
    "debootstrap": "debootstrap",
    "dhclient": "isc-dhcp-client",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "mount": "mount",
    "nft": "nftables",
    "openssl": "openssl",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
    "unshare": "util-linux",
}


def chroot(suite):
    return REPOSITORY / "target" / "lab" / suite


def obstacle():
    """Why not even the first scenarios can be recorded on this machine, in one sentence; None when they can."""
    if os.geteuid() != 0:
        return "it makes network namespaces, which only root may"
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True).returncode != 0:
        return "network, mount or process namespaces are not allowed here"
    if chroot(TOOLS_SUITE).exists():
        return None
    if not shutil.which("apt-get"):
        return "it takes Kea from Debian, with apt-get"
    release = f"{_mirror()}/dists/{TOOLS_SUITE}/InRelease"
    try:
        urllib.request.urlopen(release, timeout=20).close()
    except OSError as error:
        return f"{release} cannot be fetched ({error})"
    return None


def ensure(suites):
    """Install what is missing, and make the chroots of these Debian releases."""
    if os.geteuid() != 0:
        raise SystemExit("the lab makes network namespaces: run it as root")
    _install_programs()
    for suite in sorted({TOOLS_SUITE, *suites}):
        _make_chroot(suite)


def _install_programs():
    missing = sorted({package for program, package in PROGRAM_PACKAGE.items() if not shutil.which(program)})
    if missing:
        print("installing", *missing, flush=True)
        # A third-party source that does not answer must not stop us; a package that is not there will.
        subprocess.run(["apt-get", "update"], check=False, stdout=subprocess.DEVNULL)
        _apt(["apt-get", "install", *QUIETLY, *missing])


def _make_chroot(suite):
    """Debootstrap beside the final place and rename: a chroot that exists is a chroot that is whole."""
    root = chroot(suite)
    wanted = [*KEA_PACKAGES, *(TOOL_PACKAGES if suite == TOOLS_SUITE else [])]
    if root.exists():
        missing = [package for package in wanted if not _has(root, package)]
        if missing:
            _install_inside(root, missing)
        return
    print(f"making {root.relative_to(REPOSITORY)} with Kea {KEA[suite]} from Debian {suite}, once; about a minute", flush=True)
    unfinished = root.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", suite, unfinished, _mirror()], check=True, stdout=subprocess.DEVNULL)
    no_daemons = unfinished / "usr/sbin/policy-rc.d"
    no_daemons.write_text("#!/bin/sh\nexit 101\n")
    no_daemons.chmod(0o755)
    _install_inside(unfinished, wanted)
    unfinished.rename(root)


def _has(root, package):
    return any((root / "var/lib/dpkg/info" / f"{package}{architecture}.list").exists() for architecture in ("", ":amd64"))


def _install_inside(root, packages):
    # Kea 3.0's package configures itself only where /proc is. The mount goes away with its namespace.
    install = f'mount -t proc proc "{root}/proc" && exec chroot "{root}" "$@"'
    _apt(["unshare", "--mount", "--pid", "--fork", "sh", "-c", install, "sh", "apt-get", "install", *QUIETLY, *packages])


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

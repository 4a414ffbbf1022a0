"""Limits as the kernel tells them."""

from pathlib import Path

from otto.lab import cgroups
from otto.lab.sizes import MIB, Limits

ID = "0123456789abcdef"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def version_1(root: Path, *, memory: int, quota: int) -> None:
    group = f"/libpod_parent/libpod-{ID}"
    lines = [f"4:memory:{group}", f"3:cpu,cpuacct:{group}", f"1:name=systemd:{group}/init.scope", "0::/"]
    write(root / "proc/7/cgroup", "\n".join(lines) + "\n")
    write(root / f"sys/fs/cgroup/memory{group}/memory.limit_in_bytes", f"{memory}\n")
    write(root / f"sys/fs/cgroup/cpu,cpuacct{group}/cpu.cfs_quota_us", f"{quota}\n")
    write(root / f"sys/fs/cgroup/cpu,cpuacct{group}/cpu.cfs_period_us", "100000\n")


def version_2(root: Path, memory: str, cpu: str) -> None:
    group = f"/machine.slice/libpod-{ID}.scope"
    write(root / "proc/7/cgroup", f"0::{group}/container/init.scope\n")
    write(root / f"sys/fs/cgroup{group}/memory.max", f"{memory}\n")
    write(root / f"sys/fs/cgroup{group}/cpu.max", f"{cpu}\n")


def test_version_1(tmp_path: Path) -> None:
    version_1(tmp_path, memory=256 * MIB, quota=50_000)
    assert cgroups.limits(7, ID, tmp_path) == Limits(0.5, 256 * MIB)


def test_version_1_without_limits(tmp_path: Path) -> None:
    version_1(tmp_path, memory=9223372036854771712, quota=-1)
    assert cgroups.limits(7, ID, tmp_path) == Limits(0.0, 0)


def test_version_2_looks_where_the_engine_put_the_limits(tmp_path: Path) -> None:
    version_2(tmp_path, str(512 * MIB), "100000 100000")
    assert cgroups.limits(7, ID, tmp_path) == Limits(1.0, 512 * MIB)


def test_version_2_without_limits(tmp_path: Path) -> None:
    version_2(tmp_path, "max", "max 100000")
    assert cgroups.limits(7, ID, tmp_path) == Limits(0.0, 0)


def test_a_process_of_another_machine(tmp_path: Path) -> None:
    assert cgroups.limits(7, ID, tmp_path) is None


def test_a_process_of_something_else(tmp_path: Path) -> None:
    version_1(tmp_path, memory=MIB, quota=1)
    assert cgroups.limits(7, "fedcba9876543210", tmp_path) is None


def test_groups_we_may_not_read(tmp_path: Path) -> None:
    write(tmp_path / "proc/7/cgroup", f"0::/libpod-{ID}\n")
    assert cgroups.limits(7, ID, tmp_path) is None

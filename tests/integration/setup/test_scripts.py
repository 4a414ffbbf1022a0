"""The set-up scripts: what they do, what they leave alone, what they say."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from otto import resources

ROOT = resources.root()

# Makes environments on paper; its pip and uv write down what they were asked for.
PYTHON = r"""#!/bin/bash
program() { printf '#!/bin/bash\n%s\n' "$2" >"$1"; chmod +x "$1"; }
case "$1 $2" in
"-m venv")
    echo "venv" >>"$OTTO_CALLS"
    mkdir -p "$3/bin"
    cp "$0" "$3/bin/python"
    program "$3/bin/pip" '[ "$1" = config ] || echo "pip $*" >>"$OTTO_CALLS"'
    program "$3/bin/uv" '[ ! "$UV_BROKEN" ] || exit 1; sleep "${UV_SECONDS:-0}"; echo "uv $*" >>"$OTTO_CALLS"'
    ;;
"-c import sys; print(sys.executable)") readlink -f "$0" ;;
esac
"""
# An apt-get that writes down what it was asked for, and installs foo's program beside itself.
APT = """
echo "apt-get $DEBIAN_FRONTEND $*" >>"$OTTO_CALLS"
tool=$(dirname "$0")/foo-tool
case "$*" in *install*) echo "#!/bin/bash" >"$tool"; chmod +x "$tool" ;; esac
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of the set-up scripts, and a PATH that begins with programs on paper."""

    root: Path
    programs: Path
    calls: Path

    def program(self, name: str, text: str) -> None:
        """Put a program on paper onto the PATH."""
        path = self.programs / name
        path.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """What the scripts run with."""
        path = f"{self.programs}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        own = {"PATH": path, "OTTO_CALLS": str(self.calls), "OTTO_PYTHON": str(self.programs / "python3")}
        return {"HOME": str(self.root), "TMPDIR": str(self.root / "tmp"), **own, **more}

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a script of the checkout; its name is relative to the checkout."""
        return subprocess.run(
            [self.root / command[0], *command[1:]],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def called(self) -> list[str]:
        """What programs on paper were asked for, so far; empties the list."""
        lines = self.calls.read_text(encoding="utf-8").splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "infra" / "setup", root / "infra" / "setup")
    (root / "infra" / "lab").mkdir()
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    made = Checkout(root, tmp_path / "programs", tmp_path / "calls")
    made.programs.mkdir()
    (root / "tmp").mkdir()
    made.program("python3", PYTHON)
    made.program("terraform", "exit 0")
    made.program("podman", "exit 0")
    made.program("../a checkout/infra/lab/build-base", 'echo "build-base $*" >>"$OTTO_CALLS"')
    (root / "infra" / "setup" / "packages").write_text("git git run\n", encoding="utf-8")
    return made


def test_a_virtual_environment_is_made_once(checkout: Checkout) -> None:
    first = checkout.run("infra/setup/venv", "run")
    assert first.returncode == 0, first.stderr
    calls = checkout.called()
    assert calls[0] == "venv"
    assert "--require-hashes" in calls[1]
    assert "bootstrap.lock" in calls[1]
    assert [call for call in calls if "uv pip install" in call and "-r requirements.lock" in call]
    assert calls[-1].endswith("--no-deps --no-build-isolation -e .")

    second = checkout.run("infra/setup/venv", "run")
    assert second.returncode == 0
    assert (second.stdout, checkout.called()) == ("", [])


def test_an_environment_for_development_serves_for_running_too(checkout: Checkout) -> None:
    checkout.run("infra/setup/venv", "run")
    checkout.called()
    checkout.run("infra/setup/venv", "dev")
    assert any("requirements-dev.lock" in call for call in checkout.called())
    checkout.run("infra/setup/venv", "run")
    assert checkout.called() == []


def test_a_changed_lock_is_installed_into_what_is_there_and_keeps_its_kind(checkout: Checkout) -> None:
    checkout.run("infra/setup/venv", "dev")
    checkout.called()
    with (checkout.root / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    checkout.run("infra/setup/venv", "run")
    calls = checkout.called()
    assert "venv" not in calls
    assert any("requirements-dev.lock" in call for call in calls)


@pytest.mark.parametrize("harm", ["unfinished", "python"])
def test_a_half_made_or_broken_environment_is_made_anew(checkout: Checkout, harm: str) -> None:
    checkout.run("infra/setup/venv", "run")
    checkout.called()
    left_over = checkout.root / ".venv" / "left-over"
    left_over.touch()
    if harm == "unfinished":
        (checkout.root / ".venv" / ".otto-unfinished").touch()
    else:
        (checkout.root / ".venv" / "bin" / "python").unlink()
    assert checkout.run("infra/setup/venv", "run").returncode == 0
    assert checkout.called()[0] == "venv"
    assert not left_over.exists()
    assert not (checkout.root / ".venv" / ".otto-unfinished").exists()


def test_pip_stands_in_for_uv(checkout: Checkout) -> None:
    assert checkout.run("infra/setup/venv", "run", UV_BROKEN="yes").returncode == 0
    assert any("pip install" in call and "-r requirements.lock" in call for call in checkout.called())


def test_a_failed_installation_shows_its_log_and_leaves_no_stamp(checkout: Checkout) -> None:
    checkout.program(
        "python3", 'case "$*" in *venv\\ /*) echo "no room"; exit 3;; *print*) readlink -f "$0";; esac'
    )
    failed = checkout.run("infra/setup/venv", "run")
    assert failed.returncode == 1
    assert "no room" in failed.stderr
    assert "could not make .venv" in failed.stderr
    assert not (checkout.root / ".venv" / ".otto-installed").exists()
    assert not list((checkout.root / "tmp").iterdir())


def test_two_set_ups_at_once_make_one_environment(checkout: Checkout) -> None:
    script = checkout.root / "infra" / "setup" / "setup"
    environment = checkout.environment(UV_SECONDS="0.5")
    both = [
        subprocess.Popen(
            [script, "run"], env=environment, stdout=subprocess.PIPE, text=True, cwd=checkout.root
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert checkout.called().count("venv") == 1
    assert sum("waiting for another set-up" in output for output in outputs) <= 1


def test_an_interrupted_set_up_ends_its_steps(checkout: Checkout) -> None:
    script = checkout.root / "infra" / "setup" / "setup"
    environment = checkout.environment(UV_SECONDS="300")
    process = subprocess.Popen(
        [script, "run"], env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    unfinished = checkout.root / ".venv" / ".otto-unfinished"
    deadline = time.monotonic() + 20
    while not unfinished.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    subprocess.run(["/bin/kill", "-TERM", "--", f"-{process.pid}"], check=True)
    process.communicate(timeout=20)
    assert process.returncode == 143
    processes = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(checkout.root) not in processes
    assert not list((checkout.root / "tmp").iterdir())
    assert checkout.run("infra/setup/setup", "run").returncode == 0


def test_missing_packages_are_installed_by_root(checkout: Checkout) -> None:
    (checkout.root / "infra/setup/packages").write_text("git git run\nfoo foo-tool run\nbar bar-tool test\n")
    checkout.program("id", "echo 0")
    checkout.program("dpkg", "exit 0")
    checkout.program("apt-get", APT)
    done = checkout.run("infra/setup/system", "run")
    assert done.returncode == 0, done.stderr
    update, installed = checkout.called()
    assert update.startswith("apt-get noninteractive")
    assert update.endswith("update")
    assert installed.endswith("install --no-install-recommends foo")
    assert "system packages (apt): foo" in done.stdout
    assert checkout.run("infra/setup/system", "run").stdout == ""


def test_others_than_root_are_told_the_command(checkout: Checkout) -> None:
    (checkout.root / "infra/setup/packages").write_text("foo foo-tool run\nbar /nowhere/bar engine\n")
    checkout.program("id", "echo 1000")
    checkout.program("apt-get", 'echo "apt-get $*" >>"$OTTO_CALLS"')
    failed = checkout.run("infra/setup/setup", "run")
    assert failed.returncode == 1
    assert "as root, run: apt-get update && apt-get install --no-install-recommends foo bar" in failed.stderr
    assert checkout.called() == []


def test_a_killed_install_is_finished_first(checkout: Checkout) -> None:
    checkout.program("dpkg", '[ "$1" = --audit ] && echo half; echo "dpkg $*" >>"$OTTO_CALLS"')
    checkout.program("apt-get", 'echo "apt-get $*" >>"$OTTO_CALLS"')
    checkout.run("infra/setup/system", "--install", "foo")
    assert "dpkg --configure -a --force-confold" in checkout.called()[:2]


# What apt-get and dpkg-deb are asked for to unpack foo; nothing is installed.
DOWNLOAD = """
echo "apt-get $*" >>"$OTTO_CALLS"
[ -z "$FOO_IS_AWAY" ] || exit 100
case "$FOO_IS_OLD $*" in yes*foo=1.2) exit 100 ;; esac
case "$*" in *download*) touch foo_1_all.deb ;; esac
"""
UNPACKED = """
[ "$1 $2" = "--extract ./foo_1_all.deb" ] || exit 9
mkdir -p "$3/usr/bin"
printf '#!/bin/bash\necho foo speaks\n' >"$3/usr/bin/foo-tool"
"""


# Installed is libfoo 1.2, 1.3 once that was asked for, and whatever else apt-get is asked to install.
QUERY = """
case "$* " in
*Version*) grep -q "install.*libfoo1" "$OTTO_CALLS" && echo -n =1.3 || echo -n =1.2 ;;
*libfoo1*) ;;
*) grep -q "install.* ${*: -1}\\( \\|$\\)" "$OTTO_CALLS" ;;
esac
"""


def with_foo_to_unpack(checkout: Checkout, libraries: str = "", where: str = "bin") -> Path:
    (checkout.root / "infra/setup/packages").write_text(f"git git run\nfoo foo-tool unpack {libraries}\n")
    checkout.program("dpkg-query", QUERY)
    checkout.program("apt-get", DOWNLOAD)
    checkout.program("dpkg-deb", UNPACKED.replace("usr/bin", f"usr/{where}"))
    return checkout.root / ".venv" / "bin" / "foo-tool"


def test_a_program_whose_package_would_start_a_service_is_only_unpacked(checkout: Checkout) -> None:
    program = with_foo_to_unpack(checkout)
    done = checkout.run("infra/setup/setup", "test")
    assert done.returncode == 0, done.stderr
    apt = [call for call in checkout.called() if call.startswith("apt-get")]
    assert len(apt) == 1
    assert apt[0].endswith("download foo")
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "foo speaks\n"
    assert not list((checkout.root / "tmp").iterdir())
    again = checkout.run("infra/setup/setup", "test")
    assert (again.returncode, again.stdout) == (0, "")
    assert not [call for call in checkout.called() if call.startswith("apt-get")]


def test_libraries_of_a_program_that_is_unpacked_are_installed_and_it_is_of_their_version(
    checkout: Checkout,
) -> None:
    program = with_foo_to_unpack(checkout, "libfoo1 libbar2", "sbin")
    checkout.program("id", "echo 1000")
    refused = checkout.run("infra/setup/setup", "test")
    assert refused.returncode == 1
    assert "as root, run: apt-get install --no-install-recommends libbar2" in refused.stderr
    checkout.program("id", "echo 0")
    checkout.called()
    done = checkout.run("infra/setup/setup", "test")
    assert done.returncode == 0, done.stderr
    apt = [call for call in checkout.called() if call.startswith("apt-get")]
    assert [call.split("Retries=3 ")[1] for call in apt] == [
        "update",
        "install --no-install-recommends libbar2",
        "download foo=1.2",
    ]
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "foo speaks\n"


def test_a_version_that_the_archive_has_no_longer_has_the_library_brought_up_to_date(
    checkout: Checkout,
) -> None:
    with_foo_to_unpack(checkout, "libfoo1")
    checkout.program("id", "echo 0")
    assert checkout.run("infra/setup/setup", "test", FOO_IS_OLD="yes").returncode == 0
    apt = [call for call in checkout.called() if call.startswith("apt-get")]
    assert [call.split("Retries=3 ")[1] for call in apt] == [
        "download foo=1.2",
        "update",
        "install --no-install-recommends libfoo1",
        "download foo=1.3",
    ]


def test_no_package_that_the_suite_needs_is_installed_where_it_would_serve_names() -> None:
    """Knot and BIND would both serve port 53 of the machine, from its next start on as well."""
    lines = (ROOT / "infra/setup/packages").read_text(encoding="utf-8").splitlines()
    wanted = {words[0]: words[2] for line in lines if (words := line.split("#")[0].split())}
    assert wanted.keys() >= {"knot", "bind9", "prometheus"}
    assert {wanted[name] for name in ("knot", "bind9", "prometheus")} == {"unpack"}


def test_a_program_on_the_path_is_not_unpacked(checkout: Checkout) -> None:
    program = with_foo_to_unpack(checkout)
    checkout.program("foo-tool", "exit 0")
    assert checkout.run("infra/setup/setup", "test").returncode == 0
    assert not program.exists()


def test_to_run_nothing_is_unpacked(checkout: Checkout) -> None:
    program = with_foo_to_unpack(checkout)
    assert checkout.run("infra/setup/setup", "run").returncode == 0
    assert not program.exists()


def test_a_program_that_cannot_be_had_is_said_with_its_mend(checkout: Checkout) -> None:
    with_foo_to_unpack(checkout)
    checkout.program("id", "echo 0")
    failed = checkout.run("infra/setup/setup", "test", FOO_IS_AWAY="yes")
    assert failed.returncode == 1
    assert "could not get foo-tool; by hand: apt-get install foo" in failed.stderr
    assert [call.split()[-1] for call in checkout.called() if call.startswith("apt-get")] == ["foo", "update"]
    assert not list((checkout.root / "tmp").iterdir())


@pytest.mark.parametrize(("tofu", "says"), [(True, "OTTO_TERRAFORM_BINARY=tofu"), (False, "opentofu.org")])
def test_a_missing_terraform_is_said_before_anything_is_done(
    checkout: Checkout, *, tofu: bool, says: str
) -> None:
    if tofu:
        checkout.program("tofu", "exit 0")
    failed = checkout.run("infra/setup/setup", "run", OTTO_TERRAFORM_BINARY="no-such-terraform")
    assert failed.returncode == 1
    assert says in failed.stderr
    assert checkout.called() == []


def test_the_base_image_is_built_only_when_it_is_missing(checkout: Checkout) -> None:
    assert checkout.run("infra/setup/setup", "run").returncode == 0
    assert "build-base " not in checkout.called()
    checkout.program("podman", "exit 1")
    done = checkout.run("infra/setup/setup", "run")
    assert done.returncode == 0
    assert "build-base " in checkout.called()
    assert "lab base image: done" in done.stdout


def test_an_image_that_cannot_be_built_fails_the_set_up(checkout: Checkout) -> None:
    checkout.program("podman", "exit 1")
    build = checkout.root / "infra" / "lab" / "build-base"
    build.write_text('#!/bin/bash\n[ "$1" = --tag ] || { echo "no such suite"; exit 7; }\n')
    failed = checkout.run("infra/setup/setup", "run")
    assert failed.returncode == 1
    assert "no such suite" in failed.stderr
    assert "FAILED with status 7" in failed.stderr


def test_an_unknown_goal_shows_the_usage(checkout: Checkout) -> None:
    failed = checkout.run("infra/setup/setup", "everything")
    assert failed.returncode == 2
    assert "usage: setup [run|images|test|venv]" in failed.stderr


def test_no_python_that_will_do(checkout: Checkout) -> None:
    for name in ("python3", "python3.13", "python3.12", "python3.11"):
        checkout.program(name, "exit 1")
    script = checkout.root / "infra" / "setup" / "python"
    script.write_text(script.read_text().replace("/usr/bin/python3", ""))
    failed = checkout.run("infra/setup/python")
    assert failed.returncode == 1
    assert "python3-venv" in failed.stderr

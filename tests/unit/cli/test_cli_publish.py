"""`librarian publish` and `init --pages` as a person uses them, with a real git and a real repository."""

from __future__ import annotations

import argparse
import re
import subprocess
from pathlib import Path

import pytest

from librarian.cli import commands
from librarian.config import parse
from librarian.errors import ConfigError
from librarian.privacy.rules import Rules
from librarian.publish import pages_setup
from tests import patience
from tests.e2e.remotes import Bare, site
from tests.unit.frozen import command, environment

CONFIG = """\
# mine
[cluster]
name = "demo"
timezone = "UTC"
[paths]
state = "state"
site = "site"
[[qos]]
name = "avery"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a configuration, a site, and a git that finds github.com on this machine."""
    (tmp_path / "librarian.toml").write_text(CONFIG)
    (tmp_path / ".gitconfig").write_text(f'[url "{tmp_path}/github/"]\n insteadOf = git@github.com:\n')
    site(tmp_path / "site", 0)
    return tmp_path


def librarian(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `librarian ARGUMENTS` for somebody who has set nothing of git's."""
    env = environment(place, without=["GIT_"], XDG_CONFIG_HOME=str(place / "none"))
    return patience.run(command(*arguments), cwd=place, env=env, text=True)


def add(place: Path, table: str) -> None:
    with (place / "librarian.toml").open("a") as file:
        file.write(f"\n[[publish]]\n{table}\n")


@pytest.mark.slow
def test_dry_run_check_publish_and_status(place: Path) -> None:
    remote = Bare.make(place / "remote.git")
    add(place, 'kind = "github-pages"\nremote = "remote.git"')
    add(place, 'kind = "folder"\npath = "web"')
    told = librarian(place, "publish", "--dry-run")
    assert (told.returncode, told.stderr) == (0, "")
    assert f"github-pages: {place}/remote.git, branch gh-pages (the branch would be made)\n  6 files, " in told.stdout
    assert "    data_avery.json  13\n" in told.stdout
    told = librarian(place, "publish", "--check")
    assert (told.returncode, told.stderr) == (0, "")
    assert "FAIL" not in told.stdout
    assert not (place / "web").exists()
    done = librarian(place, "publish")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert set(remote.files()) == {path.name for path in (place / "web").iterdir()} | {".nojekyll"}
    told = librarian(place, "status")
    sent = r": done, just now; [\d.]+ KiB in (< )?[\d.]+ s\n"
    for target in (f"github-pages: {place}/remote.git, branch gh-pages", f"folder: folder {place}/web"):
        assert re.search(re.escape(target) + sent, told.stdout)


@pytest.mark.slow
def test_a_check_that_fails_says_what_and_exits_with_six(place: Path) -> None:
    add(place, 'kind = "github-pages"\nremote = "https://me:s3cr3t@127.0.0.1:1/r.git"\nretries = 0')
    add(place, 'kind = "folder"\npath = "web"')
    told = librarian(place, "publish", "--check", "--debug")
    assert told.returncode == 6
    assert "FAIL  https://127.0.0.1:1/r.git did not list its branches: fatal: unable to access" in told.stdout
    assert "web is ours to replace" in told.stdout
    done = librarian(place, "publish", "--debug")
    assert done.returncode == 6
    assert (place / "web" / "index.html").is_file()
    status = librarian(place, "status", "--debug")
    assert "r.git, branch gh-pages: FAILED, just now: " in status.stdout
    assert "; it last worked: never\n" in status.stdout
    everything = [told.stdout, told.stderr, done.stdout, done.stderr, status.stdout, status.stderr]
    everything += [path.read_text("latin-1") for path in (place / "state").rglob("*") if path.is_file()]
    assert len(everything) > 8
    assert not [text for text in everything if "s3cr3t" in text]


@pytest.mark.slow
def test_mistakes_in_a_remote_do_not_repeat_it(place: Path) -> None:
    add(place, 'kind = "github-pages"\nremote = "gopher://me:s3cr3t@h/r"\nbranch = "-x"\nretires = 3')
    told = librarian(place, "publish")
    assert told.returncode == 2
    assert "publish[1].remote = …: allowed is a remote of git's" in told.stderr
    assert "publish[1].branch = '-x'" in told.stderr
    assert 'publish[1].retires is not a key; did you mean "retries"?' in told.stderr
    assert "s3cr3t" not in told.stderr


@pytest.mark.slow
def test_without_a_site_there_is_nothing_to_look_at(place: Path) -> None:
    add(place, 'kind = "folder"\npath = "web"')
    (place / "site" / "index.json").unlink()
    for option in ("--check", "--dry-run"):
        assert librarian(place, "publish", option).returncode == 5


@pytest.mark.slow
def test_init_pages_adds_the_table_and_tells_what_is_left(place: Path) -> None:
    told = librarian(place, "init", "--pages", "Avery/usage")
    assert (told.returncode, told.stderr) == (0, "")
    text = (place / "librarian.toml").read_text()
    assert text.startswith(CONFIG)
    (entry,) = parse(text).publish
    assert entry.options == {"remote": "git@github.com:Avery/usage.git", "branch": "gh-pages"}
    assert "FAIL  git@github.com:Avery/usage.git did not list its branches" in told.stdout
    assert "- Make the repository, if there is none: https://github.com/new?owner=Avery&name=usage\n" in told.stdout
    assert f"  ssh-keygen -q -t ed25519 -N '' -C librarian -f {place}/state/github_pages_key\n" in told.stdout
    assert not (place / "state" / "github_pages_key").exists(), "a key is made by who wants it"
    remote = Bare.make(place / "github" / "Avery" / "usage.git")
    told = librarian(place, "init", "--pages", "Avery/usage")
    assert (place / "librarian.toml").read_text() == text
    assert "FAIL" not in told.stdout
    assert "Make the repository" not in told.stdout
    assert "- On https://github.com/Avery/usage/settings/pages choose: Deploy from a branch, gh-pages" in told.stdout
    assert told.stdout.endswith("- The page is then at https://avery.github.io/usage/\n")
    assert parse(text).privacy.users == "pseudonym", "what is public shows nobody by name, unless somebody says so"
    told = librarian(place, "publish")
    assert (told.returncode, "the site was made under other rules of [privacy]" in told.stderr) == (6, True)
    assert librarian(place, "render").returncode == 0
    assert librarian(place, "publish").returncode == 0
    assert "index.html" in remote.files()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["real", "short"])
def test_init_pages_does_not_show_names_unless_somebody_says_so(place: Path, mode: str) -> None:
    text = f'{CONFIG}[privacy]\n# mine too\nusers = "{mode}"   # for us\nmin_others = 2\n'
    (place / "librarian.toml").write_text(text)
    told = librarian(place, "init", "--pages", "a/b")
    assert (told.returncode, told.stdout) == (2, "")
    assert "--users pseudonym" in told.stderr
    assert (place / "librarian.toml").read_text() == text, "nothing is written"
    assert librarian(place, "init", "--pages", "a/b", "--users", "pseudonym").returncode == 0
    written = (place / "librarian.toml").read_text()
    assert written.startswith(text.replace(f'"{mode}"', '"pseudonym"'))
    assert (parse(written).privacy.users, len(parse(written).publish)) == ("pseudonym", 1)
    (place / "librarian.toml").write_text(text)
    assert librarian(place, "init", "--pages", "a/b", "--users", mode).returncode == 0
    assert parse((place / "librarian.toml").read_text()).privacy.users == mode, "somebody has said so"
    assert librarian(place, "init", "--pages", "a/b").returncode == 0, "it publishes so already"


def test_a_person_is_asked_how_pages_show_users(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target, asked = place / "librarian.toml", list[str]()
    target.write_text(f"{CONFIG}[privacy]\naccounts = true\n")
    monkeypatch.setattr(commands, "_is_asked", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "")
    options = argparse.Namespace(users=None, pages="a/b")
    assert parse(commands._discreet(options, target)).privacy == Rules(users="pseudonym", accounts=True)
    assert "[pseudonym]" in asked[0]
    assert "everybody can see" in capsys.readouterr().out
    target.write_text(CONFIG)
    assert commands._discreet(options, target) == CONFIG, "where nothing says how, pseudonyms are written"
    assert len(asked) == 1


def test_users_are_changed_where_that_is_sure() -> None:
    for section in ("[privacy]", "[privacy]  # x\naccounts = true", "[ privacy ]\nusers = 'short'\n[run]"):
        text = pages_setup.with_users(f"{CONFIG}{section}\n", "x", "alias")
        assert (parse(text).privacy.users, len(parse(text).qos)) == ("alias", 1)
    assert parse(pages_setup.with_users(CONFIG, "x", "short")).privacy.users == "short"
    for odd in ('privacy = {users = "real"}\n' + CONFIG, 'privacy.users = "real"\n' + CONFIG):
        with pytest.raises(ConfigError, match="could not be changed"):
            pages_setup.with_users(odd, "x", "pseudonym")


@pytest.mark.slow
def test_stricter_rules_are_pushed_at_once(place: Path) -> None:
    remote, page = Bare.make(place / "remote.git"), place / "site" / "index.html"
    table = '\n[[publish]]\nkind = "github-pages"\nremote = "remote.git"\n'
    (place / "librarian.toml").write_text(f'{CONFIG}[privacy]\nusers = "real"\n{table}')
    assert librarian(place, "render").returncode == 0
    assert librarian(place, "publish").returncode == 0
    assert librarian(place, "render").returncode == 0
    page.write_text("more")
    assert librarian(place, "publish").returncode == 0
    assert "waits" in librarian(place, "status").stdout
    before = remote.files()
    (place / "librarian.toml").write_text(f'{CONFIG}[privacy]\nusers = "pseudonym"\n{table}')
    assert librarian(place, "render").returncode == 0
    page.write_text("more")
    assert librarian(place, "publish").returncode == 0
    assert (remote.files()["index.html"], before["index.html"] == b"more") == (b"more", False)
    page.write_text("most")
    assert librarian(place, "publish").returncode == 0
    assert remote.files()["index.html"] == b"more", "once is enough"


def test_the_key_that_init_offers_is_used(place: Path) -> None:
    text = pages_setup.with_pages(CONFIG, "x", "git@github.com:a/b.git", place / "it's")
    assert parse(text.replace("# identity", "identity")).publish[0].options["identity"] == "…"
    text = pages_setup.with_pages(CONFIG, "x", "git@github.com:a/b.git", place / "a key\\n")
    assert parse(text.replace("# identity", "identity")).publish[0].options["identity"] == f"{place}/a key\\n"


@pytest.mark.slow
def test_odd_repositories(place: Path) -> None:
    assert librarian(place, "init", "--pages", "usage").returncode == 2
    assert (place / "librarian.toml").read_text() == CONFIG
    with pytest.raises(ConfigError, match="is no repository"):
        pages_setup.repository('a/b"\n[x]')
    (place / "librarian.toml").write_text("broken")
    told = librarian(place, "init", "--pages", "a/b")
    assert (told.returncode, "is not TOML" in told.stderr) == (2, True)
    assert (place / "librarian.toml").read_text() == "broken"

"""What readers see of a whole site under each rule, and the last look before it leaves."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest

from librarian.config.setup import Setup
from librarian.cycle import stages
from librarian.demo.slurm import DemoSlurm
from librarian.errors import LibrarianError, PublishError, StoreError
from librarian.privacy import leak_check, pseudonyms
from librarian.privacy.rules import MODES, Rules, pseudonym
from librarian.render.html.page import data_script
from librarian.slurm.command import Slurm
from librarian.system.host import user_name
from tests.unit.cycles import AVERY, BASE, NOW, TWO_DAYS, WEB, configured, ended, leave_out_pictures

CONFIG = BASE + TWO_DAYS + AVERY + WEB
SECRET = ("mferrari", "o.dd-us_er", "kmensah")


@pytest.fixture(autouse=True)
def quick(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that do not look at the pictures need not wait for them, and none for a second try."""
    monkeypatch.setattr(stages, "pause", lambda seconds: None)
    if "real_pictures" not in request.fixturenames:
        leave_out_pictures(monkeypatch)


@pytest.fixture
def real_pictures() -> None:
    """Asks for pictures as they are."""


def setup_of(folder: Path, privacy: str = "") -> Setup:
    return configured(folder, CONFIG + privacy)


def cycle(setup: Setup, now: int = NOW, slurm: object = None) -> list[LibrarianError]:
    runs = [ended(number, user=user, account="kim-lab") for number, user in enumerate(SECRET, start=1)]
    made = slurm or DemoSlurm(runs, now=now, cluster="demo", limits={"avery": ("cpu=430,gres/gpu=39,mem=3359G", "")})
    return stages.run(setup, Slurm(runner=made), now)  # type: ignore[arg-type]


def everything(folder: Path) -> bytes:
    """All that a site holds, as bytes: names of files, their content, PDFs and tables unpacked."""
    parts = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        parts += [path.name.encode(), data]
        if path.suffix == ".pdf":
            parts += [text.encode() for text in leak_check._pdf(data)]
        if path.suffix == ".gz":
            parts.append(gzip.decompress(data))
    return b"\n".join(parts)


@pytest.mark.slow
@pytest.mark.usefixtures("real_pictures")
@pytest.mark.parametrize("mode", MODES)
def test_every_file_has_the_names_that_readers_may_see_and_no_other(tmp_path: Path, mode: str) -> None:
    setup = setup_of(tmp_path, f'[privacy]\nusers = "{mode}"\n[privacy.aliases]\nmferrari = "the PI"\n')
    assert cycle(setup) == []
    site = everything(tmp_path / "web")
    names = pseudonyms.kept(tmp_path / "state")
    assert names
    for user in SECRET:
        assert (user.encode() in site) == (mode == "real"), user
        assert names.names[user].encode() in site
    assert b"kim-lab" not in site
    assert (b"the PI" in site) == (mode == "alias")


@pytest.mark.slow
@pytest.mark.usefixtures("real_pictures")
def test_who_is_hidden_is_in_others_and_nowhere_else(tmp_path: Path) -> None:
    assert cycle(setup_of(tmp_path, '[privacy]\nshow = ["mferrari"]\n')) == []
    site = everything(tmp_path / "web")
    assert b"mferrari" in site
    assert b"kmensah" not in site
    data = json.loads((tmp_path / "web" / "data_avery.json").read_text())
    assert data["users"] == ["others", "mferrari"]
    assert data["totals"]["users"]["others"]["hours"]["NJOBS"] == 2


@pytest.mark.slow
def test_sums_are_those_of_the_real_names(tmp_path: Path) -> None:
    cycle(setup_of(tmp_path / "a"))
    cycle(setup_of(tmp_path / "b", '[privacy]\nusers = "pseudonym"\nhide = ["kmensah"]\n'))
    one, other = (json.loads((tmp_path / name / "web" / "data_avery.json").read_text()) for name in ("a", "b"))
    assert one["totals"]["total"] == other["totals"]["total"]


def test_pseudonyms_stay_and_only_whois_tells(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')
    cycle(setup)
    key = tmp_path / "state" / "privacy.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state" / "names.json").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "web" / "data_avery.json").read_bytes()
    cycle(setup)
    assert json.loads(before)["users"] == json.loads((tmp_path / "web" / "data_avery.json").read_bytes())["users"]
    mask = pseudonyms.kept(tmp_path / "state")
    assert mask
    shown = pseudonym("mferrari", bytes.fromhex(key.read_text()))
    assert pseudonyms.whois(mask, [shown]) == [(shown, "mferrari")]
    assert pseudonyms.whois(mask, ["mferrari"]) == [(shown, "mferrari")]
    assert {real for _, real in pseudonyms.whois(mask, [])} >= {*SECRET, user_name()}


def test_a_damaged_key_stops_the_site_instead_of_renaming_all(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')
    cycle(setup)
    (tmp_path / "state" / "privacy.key").write_text("no key")
    with pytest.raises(StoreError, match="pseudonyms"):
        cycle(setup)


BROKEN = [
    "",
    "{",
    "[]",
    '"names"',
    '{"names": 5}',
    '{"names": ["a"], "rules": {}}',
    "[" * 99_999,
    '{"names": {"a": 5}}',
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_record_of_names_is_needed_only_where_names_are_kept_back(tmp_path: Path, text: str) -> None:
    names = tmp_path / "names.json"
    for rules in (Rules(), Rules(users="pseudonym")):
        names.write_text(text)
        with pytest.raises(StoreError, match="cannot be used"):
            pseudonyms.kept(tmp_path)
        if rules == Rules():
            assert pseudonyms.kept(tmp_path, rules) is None
        else:
            with pytest.raises(StoreError, match="cannot be used"):
                pseudonyms.kept(tmp_path, rules)
        mask = pseudonyms.PublicNames({"kim": "u-5mbw2q"}, rules)
        assert pseudonyms.keep(tmp_path, mask) == (rules == Rules()), "what the last site showed is not known"
        assert pseudonyms.kept(tmp_path) == mask


def test_a_key_that_others_could_read_is_closed(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')
    cycle(setup)
    (tmp_path / "state" / "privacy.key").chmod(0o644)
    cycle(setup)
    assert (tmp_path / "state" / "privacy.key").stat().st_mode & 0o777 == 0o600


def test_a_site_of_other_rules_is_not_published(tmp_path: Path) -> None:
    cycle(setup_of(tmp_path))
    [problem] = stages.publish(setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n'), NOW)
    assert "other rules" in str(problem)
    assert problem.exit_status == 6


@pytest.mark.slow
def test_old_files_under_other_rules_are_not_carried_over(tmp_path: Path) -> None:
    cycle(setup_of(tmp_path))

    def dead(argv: list[str], *, timeout: float, env: dict[str, str]) -> object:
        raise LibrarianError("sacct of mferrari did not answer")

    setup = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')
    (tmp_path / "state" / "demo.sqlite").unlink()  # nothing is left but the last site
    problems = cycle(setup, NOW + 600, dead)
    assert all(problem.exit_status in (3, 4) for problem in problems)
    assert b"kmensah" not in everything(tmp_path / "web")
    assert not (tmp_path / "web" / "data_avery.json").exists()


def put(site: Path, name: str, data: bytes) -> Path:
    site.mkdir(exist_ok=True)
    (site / name).write_bytes(data)
    return site


PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x15tEXtAuthor\0by mferrari ok" + b"\0" * 4
PDF = b"%PDF\n1 0 obj\nstream\n" + zlib.compress(b"BT [(mfer) -12 (rari)] TJ ET") + b"\nendstream\n"
_ODD = (zlib.compress(b"(mferrari) Tj %d" % number) for number in range(9999))
RETURN = b"1 0 obj\nstream\n" + next(packed for packed in _ODD if packed.endswith(b"\r")) + b"\nendstream\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("data_x.json", b'{"users": ["mferrari"]}'),
        ("data_x.json", b'{"a": {"mferrari": 1}}'),
        ("data_x.json", b'{"note": "held by mferrari, 12"}'),
        ("data_x.json", b'{"note": "\\u006dferrari"}'),
        ("index.html", b"<p>by <b>mferrari</b></p>"),
        ("index.html", b"<p>by &#109;ferrari</p>"),
        ("index.html", b'<img alt="use by mferrari">'),
        ("index.html", b'<script type="application/json">{"users": ["mferrari"]}</script>'),
        ("index.html", b'<script type="application/json" data-slug="x">{"mferrari":{"*":"0*16"}}</script>'),
        ("index.html", b'<script type="application/json" data-slug="x">{"a":{"*":"0*9 mferrari"}}</script>'),
        ("data_x.js", data_script("x", b'{"users": ["mferrari"]}')),
        ("data_x.js", data_script("x", b'{"mferrari": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}')),
        ("usage.csv", b"start,user\n1,mferrari\n"),
        ("usage.csv", b'start,user\n1,"mferrari"\n'),
        ("usage_x.csv.gz", gzip.compress(b"start,user\n1,mferrari\n", mtime=0)),
        ("usage_mferrari.csv.gz", gzip.compress(b"", mtime=0)),
        ("mferrari.png", b""),
        ("picture_mferrari.png", b""),
        ("x.png", PNG),
        ("x.pdf", PDF),
        ("x.pdf", RETURN),
        ("x.txt", b"see /home/mferrari/jobs"),
        ("data_x.json", rb'{"why": "the row \"4242\x1fmferrari\x1fCOMPLETED\""}'.replace(rb"\x1f", rb"\\x1f")),
        ("data_x.json", rb'{"why": "a\u001fmferrari\u001fb"}'),
        ("index.html", rb"<p>a row '4242\x1fmferrari\x1fx'</p>"),
        ("usage_x.csv.gz", gzip.compress(rb"note,a\nmferrari\tb", mtime=0)),
        ("x.txt", rb"a\001mferrari\u001f"),
    ],
)
def test_a_name_is_found_wherever_it_hides(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(PublishError, match=name):
        leak_check.check(put(tmp_path / "site", name, data).iterdir(), frozenset({"mferrari"}))
    leak_check.check((tmp_path / "site").iterdir(), frozenset({"ferrari", "somebody"}))


def test_a_table_that_cannot_be_read_is_not_published(tmp_path: Path) -> None:
    table = gzip.compress(b"start,user\n1,mferrari\n", mtime=0)
    for damaged in (table[:-9], b"start,user\n", table[:12] + b"\xff" * 9):
        with pytest.raises(PublishError, match=r"usage\.csv\.gz is damaged"):
            leak_check.check(put(tmp_path / "site", "usage.csv.gz", damaged).iterdir(), frozenset({"mferrari"}))


def test_names_that_are_words_of_the_program_are_found_where_names_stand(tmp_path: Path) -> None:
    site = put(tmp_path / "site", "data_x.json", b'{"note": "No jobs in this window, and no jobs of others"}')
    leak_check.check(site.iterdir(), frozenset({"jobs", "window"}))
    put(site, "data_x.json", b'{"people": ["jobs"]}')
    with pytest.raises(PublishError):
        leak_check.check(site.iterdir(), frozenset({"jobs"}))


def test_numbers_in_the_data_of_a_page_are_nobodys_name(tmp_path: Path) -> None:
    row = b'<script type="application/json" data-slug="x">{"a":{"*":"0*720 1201 3*1200"}}</script>'
    site = put(tmp_path / "site", "index.html", row)
    leak_check.check(site.iterdir(), frozenset({"1201", "0*720 1201 3*1200"}))
    put(site, "index.html", row.replace(b'"a"', b'"1201"'))
    with pytest.raises(PublishError):
        leak_check.check(site.iterdir(), frozenset({"1201"}))


def test_what_is_public_on_purpose_is_no_leak(tmp_path: Path) -> None:
    site = put(tmp_path / "site", "index.html", b"<title>Group of mferrari</title>")
    leak_check.check(site.iterdir(), frozenset({"mferrari"}), ["Group of mferrari"])


def test_a_name_of_odd_characters(tmp_path: Path) -> None:
    site = put(tmp_path / "site", "data_x.json", '{"note": "held by j\u00e4 ck|x now"}'.encode())
    with pytest.raises(PublishError):
        leak_check.check(site.iterdir(), frozenset({"j\u00e4 ck|x"}))


@pytest.mark.slow
def test_a_site_that_did_not_become_whole_changes_no_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the names and the site: the last site is still that of the old rules."""
    cycle(setup_of(tmp_path))
    hidden = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(stages.assemble, "write_site", killed)
        cycle(hidden, NOW + 600)
    (tmp_path / "state" / "demo.sqlite").unlink()

    def dead(argv: list[str], *, timeout: float, env: dict[str, str]) -> object:
        raise LibrarianError("sacct did not answer")

    cycle(hidden, NOW + 1200, dead)
    assert b"kmensah" not in everything(tmp_path / "web")
    assert not (tmp_path / "web" / "data_avery.json").exists()


def test_without_the_names_nothing_that_may_be_real_is_kept(tmp_path: Path) -> None:
    setup = setup_of(tmp_path, '[privacy]\nusers = "pseudonym"\n')
    cycle(setup)
    mask = pseudonyms.kept(tmp_path / "state")
    assert mask
    assert pseudonyms.keep(tmp_path / "state", mask)
    (tmp_path / "state" / "names.json").unlink()
    assert not pseudonyms.keep(tmp_path / "state", mask)
    assert not pseudonyms.keep(tmp_path / "state", mask), "until a site has become whole"
    pseudonyms.shown(tmp_path / "state", mask)
    assert pseudonyms.keep(tmp_path / "state", mask)

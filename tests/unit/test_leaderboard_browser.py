"""The page in a real browser: a press on a head sorts, and protocols stay apart."""

import json
import re
import shutil
import subprocess

import pytest

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.published_file import find_tables
from evaluation.leaderboard.runs import gather
from launch.composition.studies import EXPERIMENTS
from tests.unit.results_files import number, write

pytestmark = pytest.mark.browser

# Presses the head of a column twice; after each press notes the first cells, group by group.
PRESS = """<script>
const seen = [];
const button = [...document.querySelectorAll("#table-t2m button")].find(
  b => b.textContent.startsWith("FID"));
for (let press = 0; press < 2; press++) {
  button.focus(); document.activeElement.click();
  seen.push({sort: button.closest("th").getAttribute("aria-sort"), groups:
    [...document.querySelectorAll("#table-t2m tbody")].map(body =>
      [...body.querySelectorAll("tr:not(.group)")].map(row => row.cells[5].dataset.value))});
}
document.body.dataset.seen = JSON.stringify(seen);
</script></body>"""


def test_a_press_sorts_within_groups(tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser")
    write(tmp_path / "a", number(value=0.9))
    write(tmp_path / "b", number(value=0.2), signature="b" * 16)
    runs, _ = gather([tmp_path])
    page = tmp_path / "page.html"
    text = html_page(build_board(find_tables(EXPERIMENTS, ["t2m"]), runs, {}))
    policy = re.search(r"<meta http-equiv[^>]*>", text)[0]  # else the test's own script is refused
    page.write_text(text.replace(policy, "").replace("</body>", PRESS))
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [*command, f"file://{page}"], capture_output=True, text=True, timeout=120, check=True
    )
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found, "the script of the page stopped"
    up, down = json.loads(found[1].replace("&quot;", '"'))
    assert (up["sort"], down["sort"]) == ("ascending", "descending")
    up, down = (one["groups"] for one in (up, down))
    assert up[-1] == ["0.2", "0.9"] and down[-1] == ["0.9", "0.2"]
    for groups in (up, down):
        assert len(groups[0]) > 4 and "" not in groups[0]
    assert up[0] == down[0][::-1] == sorted(up[0], key=float)

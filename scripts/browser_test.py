#!/usr/bin/python3
"""The report in a real browser: browser_test.py PROGRAM BIG_PAGE

Makes the report of the lab's recordings with PROGRAM; BIG_PAGE is the page of ten thousand leases that the Rust tests
leave behind. Opens both from their files in Chromium, as a reader with a mouse, with a keyboard alone, with a screen
reader's tree, in light and dark, on a phone, and without script. Pictures go to target/browser-test.

Debian's interpreter, because Debian's package has the driver.
"""

import base64
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print("SKIPPED: python3-selenium is not installed; the report was not tried in a browser")
    sys.exit(0)

ROOT = Path(__file__).resolve().parent.parent
# As root in a container there is no sandbox and no graphics card, and nothing may ask the network for itself.
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
           --disable-component-update --disable-sync --disable-dev-shm-usage""".split()
LAB = ["all-on", "zaldua1zerb1-killed", "zaldua2zerb1-killed"]
# No step with ten thousand rows may take longer than this where other work has the processors; alone it is well below a second,
# and the times are printed.
MOST_SECONDS = 15.0

# Text that is seen, with less contrast to its background than WCAG asks of it (4.5). Charts have their own tests.
CONTRAST = """
const channel = (v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length < 4 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const bad = [];
let seen = 0;
for (const element of document.body.querySelectorAll('*')) {
  if (element.closest('svg, script, style, .unseen')) continue;
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility()) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  seen += 1;
  if (ratio < 4.5) bad.push(element.className + ' ' + element.textContent.slice(0, 40) + ' ' + ratio.toFixed(2));
}
return [seen, bad];
"""


class Browser:
    """A browser with a profile of its own, and what went wrong in it."""

    def __init__(self, profile):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.run = self.driver.execute_script
        self.cdp = self.driver.execute_cdp_cmd
        # What the browser's own first page asked for is none of ours.
        self.driver.get("about:blank")
        self.complaints()

    def view(self, width, scheme):
        """The window's width and what the system says about light and dark."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.cdp("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": scheme}]
        self.cdp("Emulation.setEmulatedMedia", {"features": scheme})

    def open(self, page):
        self.driver.get("about:blank")
        self.driver.get(page.as_uri())

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def rows(self):
        """The rows of the leases that are shown, as lists of texts."""
        return self.run(
            "return [...document.querySelectorAll('#leases-table tbody tr:not([hidden])')]"
            ".map((row) => [...row.cells].map((cell) => cell.textContent))"
        )

    def until(self, what, holds):
        """Waits for something that a page does a little later."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.02)
        raise AssertionError(f"not within ten seconds: {what}")

    def picture(self, path):
        """The whole page, in pieces that a browser can draw."""
        height = self.run("return document.documentElement.scrollHeight")
        width = self.run("return innerWidth")
        for number, top in enumerate(range(0, min(height, 40_000), 4000)):
            clip = {"x": 0, "y": top, "width": width, "height": min(4000, height - top), "scale": 1}
            shot = self.cdp("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True, "clip": clip})
            path.with_name(f"{path.name}-{number + 1}.png").write_bytes(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the console says, and every request but the one for the page itself."""
        said = [entry["message"] for entry in self.driver.get_log("browser")]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"].split("#")[0]
                if not (url.startswith("file://") and url.endswith("/index.html")) and url != "about:blank":
                    said.append(f"asked for {url}")
        return said


def check(name, holds, detail=""):
    if not holds:
        raise AssertionError(f"{name}: {detail}")
    print(f"  {name}")


def reader(browser, page):
    """Filter, order, links and the switch of the theme."""
    browser.view(1280, "light")
    browser.open(page)
    check("no error and no request", not (said := browser.complaints()), said)
    every = browser.rows()
    browser.one("#leases-table input").send_keys("zaldua2bez1 took")
    browser.until("the filter narrows", lambda: len(browser.rows()) < len(every))
    shown = browser.rows()
    fits = all("zaldua2bez1" in row and "partner-took-over" in row for row in shown)
    check("a filter of two words leaves the rows that have both", shown and fits, shown)
    status = browser.one("#leases-table [role=status]").text
    check("and says how many", status == f"{len(shown)} of {len(every)} rows match", status)
    browser.one("#leases-table input").send_keys(Keys.CONTROL, "a", Keys.DELETE)
    browser.until("all rows are back", lambda: browser.rows() == every)

    heads = browser.driver.find_elements(By.CSS_SELECTOR, "#leases-table th")
    names = [head.text.split()[0] for head in heads]
    address, sure = names.index("Address"), names.index("Confidence")
    for place, key in [(address, lambda row: [int(part) for part in row[address].split(".")]), (sure, lambda row: float(row[sure]))]:
        for direction in ["ascending", "descending"]:
            heads[place].find_element(By.TAG_NAME, "button").click()
            keys = [key(row) for row in browser.rows()]
            ordered = keys == sorted(keys, reverse=direction == "descending")
            sorts = [head.get_attribute("aria-sort") for head in heads]
            expected = [direction if at == place else None for at in range(len(heads))]
            check(f"{names[place]} {direction}", ordered and sorts == expected and len(keys) == len(every), (keys, sorts))

    browser.one('#leases-table a[href="#e2"]').click()
    opened = "return document.getElementById('e2').closest('details').open && document.activeElement.tagName"
    browser.until("a link opens its card", lambda: browser.run(opened) == "SUMMARY")
    visible = browser.run("const box = document.activeElement.getBoundingClientRect(); return box.top >= -1 && box.bottom < innerHeight")
    check("a link opens its card, which is in view", visible)

    colour = "return getComputedStyle(document.body).backgroundColor"
    chart = "return [...document.querySelectorAll('figure')].map((it) => ['.in-light', '.in-dark'].map((name) => it.querySelector(name).checkVisibility()))"
    before = browser.run(colour)
    check("every chart is there in light only", all(shown == [True, False] for shown in browser.run(chart)))
    browser.one("#theme").click()
    check("the button makes it dark, the charts too", browser.run(colour) != before and all(shown == [False, True] for shown in browser.run(chart)))
    browser.open(page)
    check("which the browser remembers", browser.run(colour) != before)
    browser.run("localStorage.clear()")
    check("still no error and no request", not (said := browser.complaints()), said)


def keyboard(browser, page):
    """From the top to a card with Tab and Enter alone."""
    browser.view(1280, "light")
    browser.open(page)
    active = lambda: browser.driver.switch_to.active_element
    browser.one("body").send_keys(Keys.TAB)
    check("the first stop skips to the report", active().get_attribute("href").endswith("#main"))
    outlined = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    check("the stop is seen", outlined == "solid", outlined)
    stops = 0
    while (active().get_attribute("href") or "").split("#")[-1] != "e1":
        active().send_keys(Keys.TAB)
        stops += 1
        check_stops = stops < 200
        assert check_stops, "Tab never comes to the first lease's proof"
    active().send_keys(Keys.ENTER)
    browser.until("Enter opens the card", lambda: browser.run("return document.getElementById('e1').closest('details').open"))
    browser.until("and goes on there", lambda: active().tag_name == "summary")
    active().send_keys(Keys.ENTER)
    closed = browser.run("return !document.getElementById('e1').closest('details').open")
    check(f"Tab {stops} times and Enter open a card, Enter closes it", closed)


def screen_reader(browser, page):
    """The tree that a screen reader gets."""
    browser.view(1280, "light")
    browser.open(page)
    browser.run("for (const card of document.querySelectorAll('details')) card.open = true")
    nodes = browser.cdp("Accessibility.getFullAXTree", {})["nodes"]
    nodes = [node for node in nodes if not node.get("ignored")]
    role = lambda node: node.get("role", {}).get("value")
    name = lambda node: node.get("name", {}).get("value", "").strip()
    roles = [role(node) for node in nodes]
    for landmark in ["banner", "navigation", "main", "contentinfo"]:
        check(f"one {landmark}", roles.count(landmark) == 1, roles.count(landmark))
    named = ["image", "img", "SvgRoot", "button", "link", "searchbox", "region", "table", "heading", "DisclosureTriangle", "columnheader"]
    nameless = [role(node) for node in nodes if role(node) in named and not name(node)]
    check("everything has a name", not nameless, nameless)
    words = " ".join(name(node) for node in nodes)
    check("a card says in words what its ladder draws", "heard and dropped by zaldua1zerb1" in words)
    check("and the drawing is not read out", "●" not in words)


def looks(browser, page, folder):
    """Contrast and width in every view, and a picture of each."""
    for width, device in [(1280, "desktop"), (390, "phone")]:
        for scheme in ["light", "dark"]:
            browser.view(width, scheme)
            browser.open(page)
            browser.run("document.getElementById('e2').closest('details').open = true")
            seen, bad = browser.run(CONTRAST)
            check(f"{device}, {scheme}: contrast of {seen} texts", seen > 100 and not bad, bad[:5])
            wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            check(f"{device}, {scheme}: nothing is wider than the window", wide <= 0, wide)
            browser.picture(folder / f"{device}-{scheme}")


def no_script(browser, page):
    """What the page is without its script."""
    browser.view(1280, "light")
    browser.cdp("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.open(page)
    rows = "return [...document.querySelectorAll('#leases-table tbody tr')].map((row) => getComputedStyle(row).display)"
    displays = browser.run(rows)
    check("without script every row is there", len(displays) == 10_000 and set(displays) == {"table-row"}, set(displays))
    check("and nothing that would not work", not browser.one("#theme").is_displayed())
    browser.cdp("Emulation.setScriptExecutionDisabled", {"value": False})


def many(browser, page):
    """Ten thousand leases, as fast as somebody types."""
    browser.view(1280, "light")
    began = time.monotonic()
    browser.open(page)
    print(f"  10,000 leases open in {time.monotonic() - began:.2f} s")
    check("a hundred rows at first", len(browser.rows()) == 100)
    # Measured in the page, up to the frame after the change is laid out; the page waits 80 ms for further letters.
    timed = """
const done = arguments[arguments.length - 1];
const began = performance.now();
%s
const wait = () => requestAnimationFrame(() => setTimeout(() => (%s) ? done(performance.now() - began) : wait()));
wait();
"""
    status = "document.querySelector('#leases-table [role=status]').textContent"
    type_in = "const field = document.querySelector('#leases-table input'); field.value = '%s'; field.dispatchEvent(new Event('input'));"
    address = browser.rows()[57][2]
    took = browser.driver.execute_async_script(timed % (type_in % address, f"{status}.includes('match')")) / 1000
    shown = browser.rows()
    check(f"a filter takes {took:.2f} s", took < MOST_SECONDS and shown and all(address in " ".join(row) for row in shown), (took, len(shown)))
    browser.driver.execute_async_script(timed % (type_in % "", f"!{status}.includes('match')"))
    click = "document.querySelectorAll('#leases-table th button')[2].click();"
    took = browser.driver.execute_async_script(timed % (click, "true")) / 1000
    keys = [[int(part) for part in row[2].split(".")] for row in browser.rows()]
    check(f"sorting takes {took:.2f} s", took < MOST_SECONDS and keys == sorted(keys) and len(keys) == 100, took)
    browser.one("#leases-table .more").click()
    check("more rows on demand", len(browser.rows()) == 600)
    check("no error and no request", not (said := browser.complaints()), said)


def main():
    program, large = (Path(argument).resolve() for argument in sys.argv[1:3])
    if not large.exists():
        sys.exit(f"{large} is missing: cargo test makes it")
    folder = ROOT / "target/browser-test"
    folder.mkdir(parents=True, exist_ok=True)
    # Paths as somebody types them: the page names its inputs.
    inputs = [path.relative_to(ROOT) for name in LAB for path in sorted((ROOT / "captures" / name).glob("*.pcap"))]
    command = [program, "report", *inputs, "-t", "captures/all-on/topology.toml", "--expect", "captures/expect.toml"]
    subprocess.run([*command, "-o", folder / "report", "--force", "--quiet"], cwd=ROOT, check=True)
    page = folder / "report/index.html"
    # Chromium may still write to its profile while it ends.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        try:
            browser = Browser(profile)
        except WebDriverException as error:
            print(f"SKIPPED: Chromium does not start here; the report was not tried in a browser: {error.msg.splitlines()[0]}")
            return
        try:
            for name, run in [
                ("a reader with a mouse", lambda: reader(browser, page)),
                ("a keyboard alone", lambda: keyboard(browser, page)),
                ("a screen reader", lambda: screen_reader(browser, page)),
                ("light, dark, desktop and phone", lambda: looks(browser, page, folder)),
                ("ten thousand leases", lambda: many(browser, large)),
                ("without script", lambda: no_script(browser, large)),
            ]:
                print(name)
                run()
        finally:
            browser.driver.quit()
    print("passed; the pictures are in target/browser-test")


main()

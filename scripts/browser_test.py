#!/usr/bin/python3
"""The report in a real browser: `browser_test.py PROGRAM [BIG_PAGE]`, with Debian's Chromium and Selenium.

Opens the page from its file, as a reader does: filter, order, cards by mouse and by keyboard, light and dark, phone
width. Nothing may be asked from anywhere, and nothing may be said on the console. BIG_PAGE is a page of ten thousand
leases that the tests leave behind. Screenshots go to target/browser-test.
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
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    print("SKIPPED: python3-selenium is not installed; the report is not opened in a browser")
    raise SystemExit(0)

REPOSITORY = Path(__file__).resolve().parents[1]
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --window-size=1280,1600"
)


def main(arguments):
    if not (CHROMIUM.exists() and DRIVER.exists()):
        print("SKIPPED: Chromium and its driver are not installed; the report is not opened in a browser")
        return
    into = REPOSITORY / "target/browser-test"
    into.mkdir(parents=True, exist_ok=True)
    report = into / "report"
    subprocess.run([Path(arguments[0]).resolve(), "--quiet", "report", *captures(), "-t", "captures/all-on/topology.toml",
                    "--expect", "captures/expect.toml", "-o", report, "--force"], cwd=REPOSITORY, check=True)
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = str(CHROMIUM)
        for flag in [*FLAGS.split(), f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = webdriver.Chrome(service=Service(str(DRIVER)), options=options)
        try:
            lab(browser, (report / "index.html").as_uri(), into)
            if len(arguments) > 1 and Path(arguments[1]).exists():
                big(browser, Path(arguments[1]).resolve().as_uri())
            else:
                print("SKIPPED: there is no page of ten thousand leases; run the tests first")
        finally:
            browser.quit()


def captures():
    folders = ["all-on", "zaldua1zerb1-killed", "zaldua2zerb1-killed"]
    return sorted(str(file.relative_to(REPOSITORY)) for name in folders for file in (REPOSITORY / "captures" / name).glob("*.pcap"))


def lab(browser, address, into):
    browser.get(address)
    assert browser.title.startswith("DHCP report"), browser.title
    said = browser.find_element(By.TAG_NAME, "main").text
    assert "8 of 8 cells as expected" in said and "2 takeovers" in said, said[:500]
    whole_page(browser, into / "light.png")

    leases = browser.find_element(By.ID, "leases-table")
    box = browser.find_element(By.CSS_SELECTOR, "input[aria-label*='ease']")
    before = len(rows(leases))
    box.send_keys("zaldua2bez1")
    WebDriverWait(browser, 5).until(lambda _: len(rows(leases)) < before)
    assert rows(leases) and all("zaldua2bez1" in row.text for row in rows(leases)), "the filter keeps what fits"
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(Keys.DELETE)
    WebDriverWait(browser, 5).until(lambda _: len(rows(leases)) == before)

    heads = leases.find_elements(By.CSS_SELECTOR, "thead th")
    address_head = next(head for head in heads if head.text == "Address")
    column = heads.index(address_head)
    for direction in ["ascending", "descending"]:
        address_head.find_element(By.TAG_NAME, "button").click()
        assert address_head.get_attribute("aria-sort") == direction
        cells = [row.find_elements(By.CSS_SELECTOR, "td, th")[column].text for row in rows(leases)]
        keys = [tuple(map(int, cell.split("."))) for cell in cells]
        assert keys == sorted(keys, reverse=direction == "descending"), cells
    print(f"filter and order: {before} leases")

    # A link opens its card, by mouse and by keyboard.
    link = rows(leases)[0].find_element(By.TAG_NAME, "a")
    proof = browser.find_element(By.ID, link.get_attribute("href").split("#")[1])
    card = proof.find_element(By.XPATH, "./ancestor::details")
    assert card.get_attribute("open") is None
    link.click()
    WebDriverWait(browser, 5).until(lambda _: card.get_attribute("open") is not None)
    assert "Why " in card.text, card.text
    other = next(it for it in browser.find_elements(By.CSS_SELECTOR, "details.card") if it.get_attribute("open") is None)
    browser.execute_script("document.activeElement.blur()")
    summary = other.find_element(By.TAG_NAME, "summary")
    for _ in range(400):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        if browser.switch_to.active_element == summary:
            break
    else:
        raise AssertionError("the keyboard does not reach a card")
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    WebDriverWait(browser, 5).until(lambda _: other.get_attribute("open") is not None)
    print("cards: opened by a link and by the keyboard")

    ground = lambda: browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    charts = lambda theme: browser.execute_script(f"return [...document.querySelectorAll('.in-{theme}')].map(it => it.offsetHeight > 0)")
    light = ground()
    assert all(charts("light")) and not any(charts("dark"))
    browser.find_element(By.ID, "theme").click()
    assert ground() != light and all(charts("dark")) and not any(charts("light"))
    whole_page(browser, into / "dark.png")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390, "a phone need not scroll sideways"
    whole_page(browser, into / "phone.png")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    ids = browser.execute_script("return [...document.querySelectorAll('[id]')].map(it => it.id)")
    assert len(ids) == len(set(ids)), "an id stands twice"
    quiet(browser)
    print("light, dark and phone: screenshots in target/browser-test; nothing asked from outside, nothing on the console")


def big(browser, address):
    began = time.monotonic()
    browser.get(address)
    loaded = time.monotonic() - began
    leases = browser.find_element(By.ID, "leases-table")
    shown = "return [...document.querySelectorAll('#leases-table tbody tr')].filter(row => !row.hidden).length"
    assert browser.execute_script(shown) == 100
    wanted = browser.execute_script("return document.querySelectorAll('#leases-table tbody tr')[7777].cells[2].textContent")
    box = browser.find_element(By.CSS_SELECTOR, "input[aria-label*='ease']")
    began = time.monotonic()
    box.send_keys(wanted)
    WebDriverWait(browser, 10, poll_frequency=0.02).until(lambda _: browser.execute_script(shown) < 100)
    filtered = time.monotonic() - began
    assert filtered < 3, f"filtering took {filtered:.1f} s"
    head = leases.find_elements(By.CSS_SELECTOR, "thead th")[2]
    began = time.monotonic()
    head.find_element(By.TAG_NAME, "button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    ordered = time.monotonic() - began
    assert ordered < 5, f"ordering took {ordered:.1f} s"
    quiet(browser)
    print(f"10,000 leases: loaded in {loaded:.2f} s, filtered in {filtered:.2f} s, ordered in {ordered:.2f} s")


def rows(table):
    return [row for row in table.find_elements(By.CSS_SELECTOR, "tbody tr") if row.is_displayed()]


def whole_page(browser, file):
    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 9000), "scale": 1}
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
    file.write_bytes(base64.b64decode(picture["data"]))


def quiet(browser):
    """Nothing on the console, and no request but for the page itself."""
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert not said, said
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            address = message["params"]["request"]["url"]
            # The page of a new tab is the browser's own.
            assert address.startswith(("file:", "data:", "chrome:")), address


if __name__ == "__main__":
    main(sys.argv[1:])

//! The page in a real browser: it is drawn in the colours of its verdicts, and nothing of it sticks out, on a phone and on a
//! screen, in light and in dark.
//!
//! Without Chromium (`CHROMIUM`, or one of the usual names on `PATH`) the tests say so and pass. With
//! `BACKUP_PAGE_SHOTS=FOLDER` they leave page and pictures there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod browser;
mod sample;

use std::collections::BTreeMap;
use std::path::PathBuf;

use browser::{Browser, Drawn, Scheme};
use symbolon_shared::domain::backup::{Report, Verdict, page};

/// Widths of a phone and of a screen.
const WIDTHS: [u32; 2] = [375, 1_280];

/// The colours of the three verdicts, as `page.css` has them.
const LIGHT: [[u8; 3]; 3] = [[0x1a, 0x7f, 0x37], [0x8a, 0x5a, 0x00], [0xc4, 0x20, 0x2c]];
const DARK: [[u8; 3]; 3] = [[0x4c, 0xc2, 0x6a], [0xe0, 0xac, 0x3d], [0xff, 0x6b, 0x62]];

fn browser() -> Option<Browser> {
    let found = Browser::find();
    if found.is_none() {
        println!("skipped: there is no Chromium on PATH, nor in CHROMIUM");
    }
    found
}

/// Leaves something where it can be looked at, if somebody wants to.
fn leave(name: &str, bytes: &[u8]) {
    let vars: BTreeMap<String, String> = std::env::vars().collect();
    if let Some(folder) = vars.get("BACKUP_PAGE_SHOTS").map(PathBuf::from) {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }
}

fn assert_drawn_well(name: &str, drawn: &Drawn, width: u32, colours: &[[u8; 3]]) {
    assert_eq!(
        drawn.scroll_width, width,
        "{name}: sideways there is nothing to scroll to"
    );
    assert_eq!(drawn.sticking_out, "", "{name}");
    assert_eq!(
        (drawn.width, drawn.height),
        (width, drawn.scroll_height),
        "{name}"
    );
    assert!(
        drawn.colours.len() > 20,
        "{name}: {} colours",
        drawn.colours.len()
    );
    for colour in colours {
        let points = drawn.colours.get(colour).copied().unwrap_or_default();
        assert!(points > 200, "{name}: {points} points of {colour:02x?}");
    }
}

fn present(report: &Report, colours: [[u8; 3]; 3]) -> Vec<[u8; 3]> {
    let verdicts = [Verdict::Good, Verdict::Unknown, Verdict::Bad]
        .into_iter()
        .zip(colours);
    verdicts
        .filter(|(verdict, _)| report.count(*verdict) > 0)
        .map(|(_, colour)| colour)
        .collect()
}

#[test]
fn a_report_is_drawn_well_on_a_phone_and_on_a_screen() {
    let Some(browser) = browser() else { return };
    for (name, report) in [("mixed", sample::mixed()), ("good", sample::good())] {
        let page = page(&report);
        leave(&format!("{name}.html"), page.as_bytes());
        for (scheme, colours) in [(Scheme::Light, LIGHT), (Scheme::Dark, DARK)] {
            for width in WIDTHS {
                let drawn = browser.draw(&page, width, scheme);
                let name = format!("{name}-{width}-{scheme:?}");
                leave(&format!("{name}.png"), &drawn.png);
                assert_drawn_well(&name, &drawn, width, &present(&report, colours));
            }
        }
    }
}

#[test]
fn a_browser_finds_every_store_and_every_finding_in_the_page() {
    let Some(browser) = browser() else { return };
    let report = sample::mixed();
    let dom = browser.dom(&page(&report));
    for store in &report.stores {
        assert_eq!(
            dom.matches(&format!("id=\"{}\"", store.id)).count(),
            1,
            "{}",
            store.id
        );
    }
    let findings: usize = report.stores.iter().map(|store| store.findings.len()).sum();
    assert_eq!(dom.matches("data-finding=").count(), findings);
    assert!(findings >= 10, "{findings}");
}

/// That the measure can fail: a page with something wide in it sticks out.
#[test]
fn a_page_that_sticks_out_is_seen_to() {
    let Some(browser) = browser() else { return };
    let page = page(&sample::good()).replace("<main>", "<main><div style=\"width: 2000px\">wide</div>");
    let drawn = browser.draw(&page, WIDTHS[0], Scheme::Light);
    assert!(drawn.scroll_width > WIDTHS[0]);
    assert!(drawn.sticking_out.contains("DIV"), "{}", drawn.sticking_out);
}

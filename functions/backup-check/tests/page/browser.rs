//! Chromium without a window.
//!
//! Its window is never narrower than 500 points, so the page is shown in a frame of the width that is wanted: what the
//! frame's document measures is what a phone's would.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

const NARROWEST: u32 = 500;

const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
];

/// Measures the document of the frame, and writes it where the frame is.
const MEASURE: &str = r"
addEventListener('load', () => {
  const frame = document.querySelector('iframe');
  const root = frame.contentDocument.documentElement;
  const out = [...root.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > root.clientWidth + 0.5)
    .map(element => element.tagName + '.' + element.className);
  frame.dataset.width = root.scrollWidth;
  frame.dataset.height = Math.ceil(root.scrollHeight);
  frame.dataset.out = out.join(' ');
});";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A page as it was drawn.
pub(crate) struct Drawn {
    /// How wide the document is.
    pub(crate) scroll_width: u32,
    /// How high.
    pub(crate) scroll_height: u32,
    /// Elements that reach beyond the right edge.
    pub(crate) sticking_out: String,
    /// The picture, as Chromium wrote it.
    pub(crate) png: Vec<u8>,
    /// How wide the picture of the page is.
    pub(crate) width: u32,
    /// How high.
    pub(crate) height: u32,
    /// How many points have each colour.
    pub(crate) colours: BTreeMap<[u8; 3], u32>,
}

pub(crate) struct Browser(PathBuf);

impl Browser {
    pub(crate) fn find() -> Option<Self> {
        let vars: BTreeMap<String, String> = std::env::vars().collect();
        let named = vars.get("CHROMIUM").map(PathBuf::from);
        let on_path = vars.get("PATH").into_iter().flat_map(std::env::split_paths);
        let candidates = on_path.flat_map(|folder| NAMES.map(|name| folder.join(name)));
        named
            .into_iter()
            .chain(candidates)
            .find(|path| path.is_file())
            .map(Self)
    }

    /// The document as Chromium understands it.
    pub(crate) fn dom(&self, page: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.html");
        std::fs::write(&file, page).unwrap();
        self.run(folder.path(), &file, &["--dump-dom".to_owned()])
    }

    /// Measures a page of this width, and draws all of it.
    pub(crate) fn draw(&self, page: &str, width: u32, scheme: Scheme) -> Drawn {
        let folder = tempfile::tempdir().unwrap();
        let measured = self.measure(folder.path(), page, width);
        let (scroll_width, scroll_height, sticking_out) = measured;
        let file = folder.path().join("drawn.html");
        std::fs::write(&file, framed(page, width, scroll_height, scheme, "")).unwrap();
        let shot = folder.path().join("shot.png");
        let window = width.max(NARROWEST);
        let mut flags = vec![
            format!("--window-size={window},{scroll_height}"),
            format!("--screenshot={}", shot.display()),
        ];
        // What the system prefers.
        flags.extend((scheme == Scheme::Dark).then(|| "--blink-settings=preferredColorScheme=0".to_owned()));
        self.run(folder.path(), &file, &flags);
        let png = std::fs::read(&shot).unwrap();
        let (height, colours) = points(&png, width);
        Drawn {
            scroll_width,
            scroll_height,
            sticking_out,
            png,
            width,
            height,
            colours,
        }
    }

    fn measure(&self, folder: &Path, page: &str, width: u32) -> (u32, u32, String) {
        let file = folder.join("measured.html");
        std::fs::write(&file, framed(page, width, 800, Scheme::Light, MEASURE)).unwrap();
        let window = format!("--window-size={},800", width.max(NARROWEST));
        let dom = self.run(folder, &file, &["--dump-dom".to_owned(), window]);
        let attribute = |name: &str| {
            let (_, rest) = dom
                .split_once(&format!("data-{name}=\""))
                .unwrap_or_else(|| panic!("not measured: {dom}"));
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let number = |name| attribute(name).parse().unwrap();
        (number("width"), number("height"), attribute("out"))
    }

    fn run(&self, folder: &Path, file: &Path, flags: &[String]) -> String {
        let profile = tempfile::tempdir_in(folder).unwrap();
        let output = Command::new(&self.0)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(flags)
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The page in a frame.
fn framed(page: &str, width: u32, height: u32, scheme: Scheme, script: &str) -> String {
    let scheme = match scheme {
        Scheme::Light => "light",
        Scheme::Dark => "dark",
    };
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!DOCTYPE html><html style=\"color-scheme: {scheme}\"><body style=\"margin: 0\">\
         <iframe style=\"border: 0; display: block; color-scheme: {scheme}\" width=\"{width}\" height=\"{height}\" \
         srcdoc=\"{page}\"></iframe><script>{script}</script></body></html>"
    )
}

/// The height of a picture, and the colours of its first `width` columns.
fn points(png: &[u8], width: u32) -> (u32, BTreeMap<[u8; 3], u32>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut buffer).unwrap();
    assert!(frame.width >= width && frame.bit_depth == png::BitDepth::Eight);
    let samples = frame.color_type.samples();
    let mut colours = BTreeMap::new();
    for line in buffer.chunks(frame.line_size).take(frame.height as usize) {
        for point in line.chunks(samples).take(width as usize) {
            *colours.entry([point[0], point[1], point[2]]).or_default() += 1;
        }
    }
    (frame.height, colours)
}

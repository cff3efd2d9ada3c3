//! Growth as a picture: what an interest asks of AWS against the size of the book, both cases side by side.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::growth::{MATCHING, RESTING};
use super::report::{BenchReport, Counted, as_f64};
use super::table::grouped;

/// In pixels.
const SIZE: (u32, u32) = (960, 440);
/// On any page: the picture brings its own paper.
const PAPER: RGBColor = RGBColor(255, 255, 255);
const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(206, 212, 218);

/// Above the highest line there is room for the names of the lines.
const HEADROOM: f64 = 1.45;

/// One line of the picture.
struct Drawn {
    name: &'static str,
    colour: RGBColor,
    /// What is drawn of it, before it is shared out among the interests.
    of: fn(&Counted) -> f64,
}

const LINES: [Drawn; 3] = [
    Drawn {
        name: "write units",
        colour: RGBColor(201, 42, 42),
        of: |counted| counted.spent.write_units(),
    },
    Drawn {
        name: "read units",
        colour: RGBColor(25, 113, 194),
        of: |counted| counted.spent.read_units(),
    },
    Drawn {
        name: "requests",
        colour: RGBColor(47, 158, 68),
        of: Counted::requests,
    },
];

impl Drawn {
    fn amount(&self, counted: &Counted) -> f64 {
        counted.per_interest((self.of)(counted))
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// No case was measured with more than one book.
    #[error("there is no growth to draw")]
    NothingToDraw,
    /// It cannot be drawn.
    #[error("cannot draw: {0}")]
    Draw(String),
    /// It cannot be written.
    #[error("cannot write the picture")]
    Write(#[from] std::io::Error),
}

/// Writes the picture of `report` to `file`.
///
/// # Errors
/// There is nothing to draw, or the file cannot be written.
pub fn write(report: &BenchReport, file: &Path) -> Result<(), PictureError> {
    Ok(std::fs::write(file, render(report)?)?)
}

/// One case: for each book what was counted.
type Points<'a> = Vec<(f64, &'a Counted)>;

/// Draws `report` as an SVG.
///
/// # Errors
/// There is nothing to draw.
pub fn render(report: &BenchReport) -> Result<String, PictureError> {
    let cases = [RESTING, MATCHING].map(|case| (case, points(report, case)));
    if cases.iter().any(|(_, points)| points.len() < 2) {
        return Err(PictureError::NothingToDraw);
    }
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        draw(&area, &cases).map_err(|error| PictureError::Draw(error.to_string()))?;
    }
    Ok(svg)
}

fn points<'a>(report: &'a BenchReport, case: &str) -> Points<'a> {
    let rows = report.rows.iter().filter(|row| row.case == case);
    rows.filter_map(|row| Some((as_f64(row.book?), row.counted.as_ref()?)))
        .collect()
}

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Done<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

fn draw<'a>(area: &Canvas<'a>, cases: &[(&str, Points<'_>); 2]) -> Done<'a> {
    area.fill(&PAPER)?;
    let title = ("sans-serif", 20).into_font().color(&INK);
    let area = area.titled("What one interest asks of AWS, by the size of the book", title)?;
    let counted = cases.iter().flat_map(|(_, points)| points);
    let highest = counted
        .flat_map(|(_, counted)| LINES.map(|line| line.amount(counted)))
        .fold(1.0, f64::max);
    for (half, (case, points)) in area.split_evenly((1, 2)).iter().zip(cases) {
        draw_case(half, case, points, highest * HEADROOM)?;
    }
    area.present()
}

fn draw_case<'a>(area: &Canvas<'a>, case: &str, points: &Points<'_>, top: f64) -> Done<'a> {
    let books = points.iter().map(|(book, _)| *book);
    let (least, most) = (books.clone().fold(f64::MAX, f64::min), books.fold(1.0, f64::max));
    let mut chart = ChartBuilder::on(area)
        .caption(case, ("sans-serif", 16).into_font().color(&INK))
        .margin(12)
        .margin_right(36)
        .x_label_area_size(44)
        .y_label_area_size(48)
        .build_cartesian_2d((least..most).log_scale(), 0.0..top)?;
    let label = ("sans-serif", 13).into_font().color(&INK);
    chart
        .configure_mesh()
        .x_desc("interests at rest in the book (log scale)")
        .y_desc("for each interest")
        .x_label_formatter(&|book| grouped(&format!("{book:.0}")))
        .y_label_formatter(&|amount| format!("{amount:.0}"))
        .label_style(label.clone())
        .axis_desc_style(label.clone())
        .axis_style(INK)
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .draw()?;
    for drawn in LINES {
        let colour = drawn.colour;
        let line: Vec<(f64, f64)> = points
            .iter()
            .map(|(book, counted)| (*book, drawn.amount(counted)))
            .collect();
        let in_largest = line.last().map_or(0.0, |(_, amount)| *amount);
        chart.draw_series(line.iter().map(|point| Circle::new(*point, 4, colour.filled())))?;
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(3)))?
            .label(format!("{}: {in_largest:.2}", drawn.name))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(PAPER)
        .border_style(FAINT)
        .label_font(label)
        .draw()
}

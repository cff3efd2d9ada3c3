//! The report as a page: static, without script or network, in light and dark, on a phone, a screen and paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::finding::Finding;
use super::observation::Observed;
use super::report::{Report, StoreReport};
use super::verdict::Verdict;
use super::words;

const STYLE: &str = include_str!("page.css");

/// Nothing is fetched and nothing is run, even if something should find its way into the page.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The page of a report: the worst stores first.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut stores: Vec<&StoreReport> = report.stores.iter().collect();
    stores.sort_by_key(|store| std::cmp::Reverse(store.verdict));
    let title = format!(
        "{}: backups of {} in {}",
        words::verdict(report.verdict),
        report.stack,
        report.region
    );
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(CONTENT_POLICY);
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (summary(report))
                    ul.stores { @for store in stores { (row(store, report)) } }
                }
                (footer(report))
            }
        }
    };
    page.into_string()
}

fn summary(report: &Report) -> Markup {
    let count = |verdict| report.count(verdict);
    html! {
        header.summary.(report.verdict.as_str()) {
            h1 { "Backups of " (report.stack) ", seen from " (report.region) }
            p.say { (badge(report.verdict)) " " (said(report)) }
            p.quiet {
                (count(Verdict::Bad)) " bad, " (count(Verdict::Unknown)) " unknown, " (count(Verdict::Good)) " good"
                " · " (time(report))
            }
        }
    }
}

/// The summary in one line.
fn said(report: &Report) -> String {
    let stores = |number: usize| {
        if number == 1 {
            "1 store".to_owned()
        } else {
            format!("{number} stores")
        }
    };
    let (bad, unknown) = (report.count(Verdict::Bad), report.count(Verdict::Unknown));
    match (bad, unknown) {
        (0, 0) => format!("All {} are as they must be.", stores(report.stores.len())),
        (0, _) => format!(
            "{} could not be seen well enough; nothing seen is wrong.",
            stores(unknown)
        ),
        (_, 0) => format!("{} could not be put back as demanded.", stores(bad)),
        _ => format!(
            "{} could not be put back as demanded, and {} could not be seen well enough.",
            stores(bad),
            stores(unknown)
        ),
    }
}

/// `2026-11-30 16:00:07 UTC`, for readers and for machines.
fn time(report: &Report) -> Markup {
    let moment = report.at.0.to_rfc3339();
    let shown: String = moment.chars().take(19).collect();
    html! { time datetime=(moment) { (shown.replace('T', " ")) " UTC" } }
}

fn badge(verdict: Verdict) -> Markup {
    html! { span.verdict { (words::verdict(verdict)) } }
}

fn row(store: &StoreReport, report: &Report) -> Markup {
    html! {
        li.store.(store.verdict.as_str()) id=(store.id) {
            div.(store.verdict.as_str()) { (badge(store.verdict)) }
            div {
                h2 { (store.id) }
                p.quiet { @if let Some(kind) = words::kind(store.kind) { (kind) br; } (store.resource) }
            }
            div.what {
                (findings(&store.findings))
                (observed(store, report))
            }
        }
    }
}

fn findings(findings: &[Finding]) -> Markup {
    html! {
        @if !findings.is_empty() {
            ul.findings {
                @for finding in findings {
                    li.(finding.code.verdict().as_str()) data-finding=(finding.label()) {
                        strong { (words::sentence(finding)) }
                        br;
                        (words::advice(finding))
                    }
                }
            }
        }
    }
}

/// What was seen; what was not is among the findings.
fn observed(store: &StoreReport, report: &Report) -> Markup {
    let seen = store
        .observed
        .iter()
        .filter_map(|(fact, observed)| match observed {
            Observed::Seen(seen) => Some((words::fact(*fact), words::seen(seen, report.at.0))),
            _ => None,
        });
    html! {
        dl.seen {
            @for (fact, seen) in seen { div { dt { (fact) } dd { (seen) } } }
        }
    }
}

fn footer(report: &Report) -> Markup {
    html! {
        footer.quiet {
            p {
                "Good: everything that is demanded was seen. Bad: something was seen that must not be. "
                "Unknown: something could not be seen, and is not taken for good."
            }
            p {
                "Ages and lags are those of " (time(report)) ". Figures and policy are in the JSON report beside this page."
            }
        }
    }
}

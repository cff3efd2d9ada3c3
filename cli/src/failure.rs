//! How a command ends that does not come to its end: what was wrong, with what, and what to do.

use std::fmt::Write as _;

use serde_json::json;

use crate::arguments::Output;

/// What kind of end it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Refused or failed.
    Failed,
    /// Wrong usage.
    Usage,
    /// Whoever read standard output is gone: nobody is there to be told.
    PipeClosed,
}

/// Why a command did not come to its end.
///
/// Its texts are the tool's own, names that the caller gave, and error codes: nothing that AWS or a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    kind: Kind,
    what: String,
    because: Option<String>,
    advice: Option<String>,
    details: Vec<Detail>,
}

/// One of several faults of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The line of the input, counted from 1.
    pub line: u64,
    /// The reason code of the contract, when the matcher would refuse it with one.
    pub reason: Option<&'static str>,
    /// What is wrong.
    pub what: String,
}

impl Failure {
    fn of(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            because: None,
            advice: None,
            details: Vec::new(),
        }
    }

    /// Something was refused, or failed.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self::of(Kind::Failed, what)
    }

    /// The command line is wrong.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self::of(Kind::Usage, what)
    }

    /// Standard output cannot be written.
    #[must_use]
    pub fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::of(Kind::PipeClosed, "standard output is closed");
        }
        Self::new("cannot write to standard output").because(error.to_string())
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds more of what to do.
    #[must_use]
    pub fn also(mut self, advice: &str) -> Self {
        self.advice = Some(match self.advice {
            Some(before) => format!("{before}; {advice}"),
            None => advice.to_owned(),
        });
        self
    }

    /// Adds the faults of an input.
    #[must_use]
    pub fn details(mut self, details: Vec<Detail>) -> Self {
        self.details = details;
        self
    }

    /// 1 refused or failed, 2 wrong usage.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Failed | Kind::PipeClosed => 1,
            Kind::Usage => 2,
        }
    }

    /// What goes to standard error.
    #[must_use]
    pub fn render(&self, output: Output) -> String {
        match (self.kind, output) {
            (Kind::PipeClosed, _) => String::new(),
            (_, Output::Table) => self.for_people(),
            (_, Output::Json) => self.for_machines(),
        }
    }

    fn for_people(&self) -> String {
        let mut text = String::new();
        for detail in &self.details {
            let reason = detail
                .reason
                .map(|reason| format!("{reason}: "))
                .unwrap_or_default();
            // A text takes whatever is written to it.
            let _ = writeln!(text, "line {}: {reason}{}", detail.line, detail.what);
        }
        let _ = writeln!(text, "error: {}", self.what);
        if let Some(because) = &self.because {
            let _ = writeln!(text, "  because: {because}");
        }
        if let Some(advice) = &self.advice {
            let _ = writeln!(text, "  try: {advice}");
        }
        text
    }

    fn for_machines(&self) -> String {
        let mut object = json!({ "error": self.what });
        for (name, value) in [("because", &self.because), ("try", &self.advice)] {
            if let Some(value) = value {
                object[name] = value.as_str().into();
            }
        }
        if !self.details.is_empty() {
            let details = self.details.iter();
            object["faults"] = details
                .map(|detail| json!({ "line": detail.line, "reason": detail.reason, "what": detail.what }))
                .collect();
        }
        format!("{object}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_lines_and_machines_an_object() {
        let failure = Failure::new("2 lines are wrong")
            .because("why")
            .advice("mend it")
            .details(vec![Detail {
                line: 3,
                reason: Some("bad_price"),
                what: "price must be above zero".to_owned(),
            }]);
        assert_eq!(
            failure.render(Output::Table),
            "line 3: bad_price: price must be above zero\nerror: 2 lines are wrong\n  because: why\n  try: mend it\n"
        );
        let object: serde_json::Value = serde_json::from_str(&failure.render(Output::Json)).unwrap();
        assert_eq!(
            object,
            json!({ "error": "2 lines are wrong", "because": "why", "try": "mend it",
                    "faults": [{ "line": 3, "reason": "bad_price", "what": "price must be above zero" }] })
        );
        assert_eq!((failure.exit_code(), Failure::usage("x").exit_code()), (1, 2));
    }

    #[test]
    fn a_closed_pipe_ends_quietly() {
        let closed = Failure::output(&std::io::ErrorKind::BrokenPipe.into());
        assert_eq!(
            (closed.render(Output::Table).as_str(), closed.exit_code()),
            ("", 1)
        );
        let full = Failure::output(&std::io::ErrorKind::StorageFull.into());
        assert!(full.render(Output::Table).contains("standard output"));
    }
}

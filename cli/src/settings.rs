//! What the environment says beside the command line, read once.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::arguments::Options;

const OUTPUTS: &str = "SYMBOLON_OUTPUTS";
const PEER_OUTPUTS: &str = "SYMBOLON_PEER_OUTPUTS";

/// The options, completed by the environment.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The options; `outputs` and `peer_outputs` are the environment's where the command line names none.
    pub options: Options,
}

impl Settings {
    /// Completes the options. What the command line says comes first: a stack that it names is not overruled by a
    /// file that the environment names.
    #[must_use]
    pub fn new(mut options: Options, variables: &HashMap<String, String>) -> Self {
        let file = |name: &str| {
            let value = variables.get(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        if options.stack.is_none() {
            options.outputs = options.outputs.or_else(|| file(OUTPUTS));
            options.peer_outputs = options.peer_outputs.or_else(|| file(PEER_OUTPUTS));
        }
        Self { options }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    fn settings(line: &str) -> Options {
        let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
        let variables = HashMap::from([(OUTPUTS.to_owned(), "env.json".to_owned())]);
        Settings::new(arguments.options, &variables).options
    }

    #[test]
    fn the_command_line_comes_before_the_environment() {
        let outputs = |line| settings(line).outputs;
        assert_eq!(outputs("symbolon counterparty list"), Some("env.json".into()));
        assert_eq!(
            outputs("symbolon counterparty list --outputs a.json"),
            Some("a.json".into())
        );
        assert_eq!(outputs("symbolon counterparty list --stack s"), None);
    }

    #[test]
    fn an_empty_variable_names_no_file() {
        let arguments = Arguments::try_parse_from(["symbolon", "counterparty", "list"]).unwrap();
        let variables = HashMap::from([(OUTPUTS.to_owned(), String::new())]);
        assert_eq!(Settings::new(arguments.options, &variables).options.outputs, None);
    }
}

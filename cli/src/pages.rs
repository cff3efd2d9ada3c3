//! Shell completions and man pages, from the command definitions.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::print::Printer;

pub(crate) fn completions(shell: Shell, printer: &mut Printer) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "symbolon", &mut script);
    printer.bytes(&script)
}

pub(crate) fn man(directory: Option<&Path>, printer: &mut Printer) -> Result<(), Failure> {
    let command = Arguments::command();
    let Some(directory) = directory else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command).render(&mut page);
        rendered.map_err(|error| Failure::output(&error))?;
        return printer.bytes(&page);
    };
    let written =
        std::fs::create_dir_all(directory).and_then(|()| clap_mangen::generate_to(command, directory));
    written.map_err(|error| {
        Failure::new(format!("cannot write the man pages to {}", directory.display()))
            .because(error.to_string())
    })
}

//! `sim completions`.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Arguments, Failure};

/// Arguments of `sim completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

impl Completions {
    pub fn execute(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "sim", &mut script);
        super::print(&String::from_utf8_lossy(&script))
    }
}

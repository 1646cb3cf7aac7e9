//! `sim validate`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use slackwater::report::write_file;
use slackwater::validate::{
    Catalogue, Options, Progress, ValidateError, Validated, check_document, csv_text, json_text, list_text, markdown,
    read_json, summary_text, validate,
};

use super::Failure;

/// Arguments of `sim validate`.
#[derive(Debug, Args)]
pub struct Validate {
    /// Show the claims, and run nothing.
    #[arg(long)]
    list: bool,
    /// Only the claim of this name, or those that fit, with * for any text, as in 'A3-*'; repeatable.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// A folder with `oracles` and `data` in it, for the claims that need files which are not part of the program.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Claims of your own, a file like those of data/validation, instead of the program's; repeatable.
    #[arg(long, value_name = "FILE.toml")]
    catalogue: Vec<PathBuf>,
    /// Take over what an earlier run of this same code wrote by --json, and run the rest alone; repeatable, for a validation in parts.
    #[arg(long, value_name = "FILE.json")]
    from: Vec<PathBuf>,
    /// Run nothing: join what --from holds, and show what no part has as not run.
    #[arg(long, requires = "from")]
    merge: bool,
    /// Do not run what takes minutes.
    #[arg(long)]
    quick: bool,
    /// Threads to use; the outcome is the same with any number [default: all cores].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,
    /// Write the outcome as Markdown, as docs/VALIDATION.md is.
    #[arg(long, value_name = "FILE.md")]
    write: Option<PathBuf>,
    /// Compare the outcome with a file that --write wrote: a claim that was run and stands there otherwise is shown, and the exit code is 3.
    #[arg(long, value_name = "FILE.md")]
    check: Option<PathBuf>,
    /// Write the outcome as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the outcome as CSV.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Print nothing but errors and what is unexpected.
    #[arg(long, short)]
    quiet: bool,
}

impl Validate {
    pub fn execute(self) -> Result<(), Failure> {
        let catalogue = self.claims()?.only(&self.only).map_err(Failure::usage)?;
        if self.list {
            return super::print(&list_text(&catalogue));
        }
        let document = self.check.as_deref().map(read).transpose()?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut known = Vec::new();
        for path in &self.from {
            let told = |e: String| {
                Failure::usage(format!("{}: {e}\n  help: --from takes a file that --json wrote", path.display()))
            };
            known.extend(read_json(&read(path)?, &catalogue).map_err(told)?);
        }
        let jobs = self.jobs.map_or(cores, |n| n as usize);
        let options = Options { data: self.data.clone(), jobs, quick: self.quick, known, merge: self.merge };
        let bar = (!self.quiet && std::io::stderr().is_terminal()).then(bar);
        let progress = |p: Progress| {
            if let Some(bar) = &bar {
                bar.set_length(p.all as u64);
                bar.set_position(p.done as u64);
                bar.set_message(p.last);
            }
        };
        let validated = validate(&catalogue, &options, &progress).map_err(|e| match e {
            ValidateError::File { .. } => Failure::internal(e),
            _ => Failure::usage(e),
        })?;
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        self.export(&validated)?;
        if !self.quiet {
            super::print(&summary_text(&validated))?;
        }
        let alarms: Vec<String> = validated
            .judged()
            .filter(|j| j.verdict.alarms())
            .map(|j| format!("{}: {}", j.claim.id, j.verdict.said()))
            .collect();
        let differences = document.map(|text| check_document(&text, &validated)).unwrap_or_default();
        if alarms.is_empty() && differences.is_empty() {
            return Ok(());
        }
        let mut message = String::new();
        if !alarms.is_empty() {
            message += &format!(
                "unexpected: {}\n  help: mend what is wrong, or say why in data/validation\n",
                alarms.join("\n            ")
            );
        }
        if !differences.is_empty() {
            let file = self.check.unwrap_or_default();
            message += &format!(
                "{} differs from what was found (- as it stands, + as found):\n{}\n",
                file.display(),
                differences.join("\n")
            );
            message += "  help: if the change is meant, write it anew: sim validate --data DIR --write FILE.md";
        }
        Err(Failure::check(message))
    }

    /// The claims of the program, or those that were given.
    fn claims(&self) -> Result<Catalogue, Failure> {
        if self.catalogue.is_empty() {
            return Catalogue::embedded().map_err(Failure::usage);
        }
        let named = self.catalogue.iter().map(|path| Ok((path.display().to_string(), read(path)?)));
        let texts = named.collect::<Result<Vec<(String, String)>, Failure>>()?;
        let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        Catalogue::of(&texts).map_err(Failure::usage)
    }

    fn export(&self, validated: &Validated) -> Result<(), Failure> {
        let save = |path: &Option<PathBuf>, text: &dyn Fn() -> Result<String, Failure>| match path {
            Some(path) => {
                let text = text()?;
                write_file(path, |file| file.write_all(text.as_bytes())).map_err(Failure::internal)
            }
            None => Ok(()),
        };
        save(&self.write, &|| Ok(markdown(validated, &self.command())))?;
        save(&self.json, &|| Ok(json_text(validated)))?;
        save(&self.csv, &|| csv_text(validated).map_err(Failure::internal))
    }

    /// The command as the document names it.
    fn command(&self) -> String {
        let mut words = vec!["sim validate".to_owned()];
        words.extend(self.catalogue.iter().map(|file| format!("--catalogue {}", file.display())));
        words.extend(self.only.iter().map(|name| format!("--only {name}")));
        words.extend(self.quick.then(|| "--quick".to_owned()));
        words.extend(self.from.iter().map(|file| format!("--from {}", file.display())));
        words.extend(self.merge.then(|| "--merge".to_owned()));
        words.extend(self.data.is_some().then(|| "--data DIR".to_owned()));
        words.push("--write docs/VALIDATION.md".to_owned());
        words.join(" ")
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let help =
        "--check takes a file that --write wrote, --from one of --json, --catalogue one like those of data/validation";
    std::fs::read_to_string(path).map_err(|e| Failure::usage(format!("{}: {e}\n  help: {help}", path.display())))
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len}  {msg}  {elapsed} elapsed")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style)
}

//! `sim plot`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use slackwater::plot::{self, CATALOGUE, Kind, PlotError, Request, Size};
use slackwater::report::write_file;

use super::Failure;

/// Arguments of `sim plot`.
#[derive(Debug, Args)]
pub struct Plot {
    /// The folder of a run, of a comparison or of a sweep.
    result: PathBuf,
    /// What to draw; may be repeated [default: every kind that the result has the data for]. `sim list figures` explains them.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// The files to write.
    #[arg(long, value_enum, default_value = "both")]
    format: Format,
    /// For a paper (84 or 174 mm at 300 dots per inch, text of 8 pt) or for a screen (1,200 pixels).
    #[arg(long, value_enum, default_value = "print")]
    size: Sizes,
    /// A folder for the figures, or, of one kind, a file that ends in .svg or .png [default: figures/ in the result].
    #[arg(long, value_name = "PLACE")]
    out: Option<PathBuf>,
    /// A figure by its key, such as sci.g_per_unit; may be repeated (lines, heat-map, frontier, tornado).
    #[arg(long, value_name = "KEY")]
    metric: Vec<String>,
    /// The axis of a sweep that is laid out from left to right (lines, heat-map).
    #[arg(long, value_name = "AXIS")]
    x: Option<String>,
    /// The axis of a sweep that is laid out upwards (heat-map).
    #[arg(long, value_name = "AXIS")]
    y: Option<String>,
    /// The axis of a sweep with a line per value (lines).
    #[arg(long, value_name = "AXIS")]
    series: Option<String>,
    /// Say which kinds can be drawn and what the others lack; write nothing.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Svg,
    Png,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sizes {
    /// One column of 84 mm, or two of 174 mm where the figure needs them.
    Print,
    /// 84 mm.
    Column,
    /// 174 mm.
    Page,
    /// 1,200 pixels.
    Screen,
}

fn failure(error: PlotError) -> Failure {
    match error {
        PlotError::Draw(_) => Failure::internal(error),
        _ => Failure::usage(error),
    }
}

impl Plot {
    pub fn execute(self) -> Result<(), Failure> {
        let request =
            Request { metrics: self.metric.clone(), x: self.x.clone(), y: self.y.clone(), series: self.series.clone() };
        plot::check(&self.result).map_err(failure)?;
        if self.list {
            return super::print(&self.listed(&request));
        }
        let kinds: Vec<&Kind> = match self.kind.is_empty() {
            true => CATALOGUE.iter().collect(),
            false => self.kind.iter().map(|name| plot::kind(name)).collect::<Result<_, _>>().map_err(failure)?,
        };
        let mut drawn = 0;
        let (mut lacks, mut failed): (Vec<String>, Vec<(&str, PlotError)>) = (Vec::new(), Vec::new());
        for kind in kinds {
            match self.files(kind, &request)? {
                Ok(places) => {
                    drawn += 1;
                    super::print(&places)?;
                }
                // What was not asked for by name may lack its data.
                Err(PlotError::Lacks { what, .. }) if self.kind.is_empty() => {
                    lacks.push(format!("{}: {what}", kind.name));
                }
                Err(error) => failed.push((kind.name, error)),
            }
        }
        for line in &lacks {
            eprintln!("left out {line}");
        }
        // What cannot be drawn does not keep the others from being drawn, and is reported when they are.
        if !failed.is_empty() {
            let internal = failed.iter().any(|(_, e)| matches!(e, PlotError::Draw(_)));
            let all: Vec<String> = failed.iter().map(|(name, error)| format!("{name}: {error}")).collect();
            let all = all.join("\n");
            return Err(if internal { Failure::internal(all) } else { Failure::usage(all) });
        }
        if drawn == 0 {
            return Err(Failure::usage(format!(
                "{} has the data of no figure\n  help: sim plot RESULT --list says what each kind needs",
                self.result.display(),
            )));
        }
        Ok(())
    }

    /// Draws a kind and writes its files, and says their places, a line each; the inner error is that of the kind alone.
    fn files(&self, kind: &Kind, request: &Request) -> Result<Result<String, PlotError>, Failure> {
        let sheet = match kind.draw(&self.result, request, self.size()) {
            Ok(sheet) => sheet,
            Err(error) => return Ok(Err(error)),
        };
        let mut text = String::new();
        for (place, is_png) in self.places(kind.name)? {
            let bytes = if is_png { sheet.png() } else { sheet.svg().map(String::into_bytes) };
            match bytes {
                Ok(bytes) => write_file(&place, |file| file.write_all(&bytes)).map_err(Failure::internal)?,
                Err(error) => return Ok(Err(error)),
            }
            text += &format!("{}\n", place.display());
        }
        Ok(Ok(text))
    }

    fn size(&self) -> Size {
        match self.size {
            Sizes::Print => Size::Print,
            Sizes::Column => Size::Column,
            Sizes::Page => Size::Page,
            Sizes::Screen => Size::Screen,
        }
    }

    fn listed(&self, request: &Request) -> String {
        let mut text = String::new();
        for kind in CATALOGUE {
            let verdict = match kind.draw(&self.result, request, self.size()) {
                Ok(_) => "can be drawn".to_owned(),
                Err(error) => error.to_string().replace("\n  help:", ";"),
            };
            text += &format!("{:<18} {verdict}\n", kind.name);
        }
        text
    }

    /// The files of a kind, and whether each is a PNG.
    fn places(&self, name: &str) -> Result<Vec<(PathBuf, bool)>, Failure> {
        let ending = |path: &Path| path.extension().map(|e| e.to_ascii_lowercase());
        let out = self.out.clone().unwrap_or_else(|| self.result.join("figures"));
        if let Some(end) = ending(&out).filter(|e| (e == "svg" || e == "png") && !out.is_dir()) {
            if self.kind.len() != 1 {
                return Err(Failure::usage(
                    "--out names one file, and several kinds are drawn\n  help: choose one with --kind, or name a folder",
                ));
            }
            let is_png = end == "png";
            if self.format == (if is_png { Format::Svg } else { Format::Png }) {
                return Err(Failure::usage("--out and --format name different formats\n  help: leave --format out"));
            }
            return Ok(vec![(out, is_png)]);
        }
        fs::create_dir_all(&out).map_err(|e| {
            Failure::internal(format!("cannot create {}: {e}\n  help: choose another place with --out", out.display()))
        })?;
        let all = [("svg", false, Format::Png), ("png", true, Format::Svg)];
        let wanted = all.into_iter().filter(|(.., other)| self.format != *other);
        Ok(wanted.map(|(end, is_png, _)| (out.join(format!("{name}.{end}")), is_png)).collect())
    }
}

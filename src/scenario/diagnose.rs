//! Problems of a scenario and how they are shown: file, line, column, caret, what was found and what to do.

use std::fmt;
use std::io::IsTerminal;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::document::{Place, Source};

/// One thing that is wrong with a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the key, empty for the whole file.
    pub path: String,
    /// What is wrong, in one line.
    pub message: String,
    /// The words under the caret.
    pub label: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it stands; `None` if it stands nowhere.
    pub place: Option<Place>,
    /// Further places that belong to it, with the words under their carets.
    pub also: Vec<(Place, String)>,
}

impl Problem {
    /// A problem without help.
    pub fn new(
        path: impl Into<String>,
        message: impl Into<String>,
        label: impl Into<String>,
        place: Option<Place>,
    ) -> Self {
        let (path, message, label) = (path.into(), message.into(), label.into());
        Self { path, message, label, help: None, place, also: Vec::new() }
    }

    /// The same with help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// How a report is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// ASCII only: for files, pipes and tests.
    Plain,
    /// Box-drawing characters without colours.
    Drawn,
    /// Box-drawing characters with colours.
    Coloured,
}

impl Look {
    /// For standard error: plain if it is no terminal or a dumb one, no colours if `NO_COLOR` is set and not empty.
    pub fn of_stderr() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty());
        if !std::io::stderr().is_terminal() || set("TERM").is_some_and(|t| t == "dumb") {
            Look::Plain
        } else if set("NO_COLOR").is_some() {
            Look::Drawn
        } else {
            Look::Coloured
        }
    }
}

/// All problems of a scenario with the texts they point into. `Display` draws it plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    sources: Vec<Source>,
    problems: Vec<Problem>,
    run: Option<String>,
}

impl Report {
    /// Puts the problems in reading order: those without a place first, then by file and `--set` argument, then by position.
    pub(super) fn new(sources: Vec<Source>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        Self { sources, problems, run: None }
    }

    /// The same, of one run of a comparison.
    #[must_use]
    pub(super) fn of_run(mut self, run: Option<String>) -> Self {
        self.run = run;
        self
    }

    /// Drops the problems that were seen before and adds the others to them.
    pub(super) fn drop_seen(&mut self, seen: &mut Vec<(String, Option<Place>)>) {
        self.problems.retain(|p| {
            let this = (p.message.clone(), p.place.clone());
            let new = !seen.contains(&this);
            if new {
                seen.push(this);
            }
            new
        });
    }

    /// The problems in reading order.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// One line per problem, `file:line:column: message`, as compilers write it and editors read it.
    pub fn brief(&self) -> String {
        self.problems.iter().map(|p| format!("{}: {}\n", self.locate(p), p.message)).collect()
    }

    /// The whole report: every problem with its lines of text, and a last line that counts them.
    pub fn render(&self, look: Look) -> String {
        let theme = match look {
            Look::Plain => GraphicalTheme::none(),
            Look::Drawn => GraphicalTheme::unicode_nocolor(),
            Look::Coloured => GraphicalTheme::unicode(),
        };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(110)
            .with_context_lines(1)
            .with_links(false)
            .with_primary_span_start()
            .without_syntax_highlighting();
        let mut text = String::new();
        for problem in &self.problems {
            if handler.render_report(&mut text, &Shown::new(problem, &self.sources)).is_err() {
                text.push_str(&format!("{}: {}\n", self.locate(problem), problem.message));
            }
            text.push('\n');
        }
        let count = self.problems.len();
        let name = self.sources.first().map_or("", |s| s.name.as_str());
        let run = self.run.as_ref().map_or_else(String::new, |run| format!(", run {run}"));
        text.push_str(&format!("{count} problem{} in {name}{run}\n", if count == 1 { "" } else { "s" }));
        text
    }

    /// `file:line:column`, counted from 1; the column counts characters.
    fn locate(&self, problem: &Problem) -> String {
        let Some((place, source)) = problem.place.as_ref().and_then(|p| Some((p, self.sources.get(p.source)?))) else {
            return self.sources.first().map_or_else(String::new, |s| s.name.clone());
        };
        let before = source.text.get(..place.start).unwrap_or(&source.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        format!("{}:{line}:{column}", source.name)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Look::Plain))
    }
}

impl std::error::Error for Report {}

/// One problem as miette wants it.
#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: Option<Text<'a>>,
}

/// A named text whose columns count characters; those of miette's own sources count bytes.
#[derive(Debug)]
struct Text<'a> {
    name: &'a str,
    text: &'a str,
}

impl SourceCode for Text<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let inner = self.text.read_span(span, lines_before, lines_after)?;
        let before = self.text.get(..inner.span().offset()).unwrap_or("");
        let column = before[before.rfind('\n').map_or(0, |i| i + 1)..].chars().count();
        let (data, range, line, lines) = (inner.data(), *inner.span(), inner.line(), inner.line_count());
        Ok(Box::new(MietteSpanContents::new_named(self.name.to_owned(), data, range, line, column, lines)))
    }
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem, sources: &'a [Source]) -> Self {
        let source = problem.place.as_ref().and_then(|p| sources.get(p.source));
        // miette cannot point into a text without lines.
        let source = source.map(|s| Text { name: &s.name, text: if s.text.is_empty() { "\n" } else { &s.text } });
        Self { problem, source }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|s| s as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.problem.place.as_ref()?;
        let first = LabeledSpan::new_primary_with_span(Some(self.problem.label.clone()), place.range());
        let also = self.problem.also.iter().filter(|(p, _)| p.source == place.source);
        let also = also.map(|(p, label)| LabeledSpan::new_with_span(Some(label.clone()), p.range()));
        Some(Box::new(std::iter::once(first).chain(also)))
    }
}

//! What is wrong with the text of a claim, with a caret under the place.

use super::Place;

/// An error in a claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}\n{}\n  help: {help}", pointed(text, at))]
pub struct ClaimError {
    /// What is wrong, in words.
    pub message: String,
    /// What was typed.
    pub text: String,
    /// The place in it.
    pub at: Place,
    /// What to do.
    pub help: String,
}

impl ClaimError {
    /// An error at a place of a text.
    pub fn new(text: &str, at: &Place, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), text: text.to_owned(), at: at.clone(), help: help.into() }
    }
}

/// The text, and under it a caret for each character of the place; at least one.
fn pointed(text: &str, at: &Place) -> String {
    // Line breaks and tabs would move the caret; each is one character, as is the space in its stead.
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = text[..at.0.start].chars().count();
    let under = text[at.0.clone()].chars().count().max(1);
    format!("    {plain}\n    {}{}", " ".repeat(before), "^".repeat(under))
}

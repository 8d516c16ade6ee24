//! Text with what little mark-up a report needs. It is made visible when it is made: nothing that acts or hides is in a
//! document, so no renderer has to think of it.
//!
//! Not here: escaping of a format's own mark-up.

use crate::visible::visible;

/// Words in a style, or that lead somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    text: String,
    style: Style,
}

/// What words are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing but words.
    Plain,
    /// Something to type, or a name as a machine writes it.
    Code,
    /// What is to be seen first.
    Strong,
    /// What is said aside, or a quantity by its letter.
    Emphasis,
    /// A way to somewhere.
    Link(Target),
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A section of this document.
    Section(&'static str),
    /// A file, relative to the one that holds the text. A page, which is one file, does not lead there.
    File(String),
}

impl Span {
    /// The words.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What they are.
    pub const fn style(&self) -> &Style {
        &self.style
    }
}

/// A run of spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Text {
    spans: Vec<Span>,
}

impl Text {
    /// Words as they are: backticks too.
    pub fn plain(text: &str) -> Self {
        Self::default().styled(text, Style::Plain)
    }

    /// Sentences in which what stands between two backticks is code.
    pub fn prose(text: &str) -> Self {
        let parts: Vec<&str> = text.split('`').collect();
        // An odd one quotes nothing.
        if parts.len().is_multiple_of(2) {
            return Self::plain(text);
        }
        let style = |index: usize| if index.is_multiple_of(2) { Style::Plain } else { Style::Code };
        let spans = parts.into_iter().enumerate();
        spans.fold(Self::default(), |text, (index, part)| text.styled(part, style(index)))
    }

    /// Something to type, or a name as a machine writes it.
    pub fn code(text: &str) -> Self {
        Self::default().styled(text, Style::Code)
    }

    /// Words to be seen first.
    pub fn strong(text: &str) -> Self {
        Self::default().styled(text, Style::Strong)
    }

    /// Words said aside.
    pub fn emphasis(text: &str) -> Self {
        Self::default().styled(text, Style::Emphasis)
    }

    /// Words that lead somewhere.
    pub fn link(text: &str, target: Target) -> Self {
        Self::default().styled(text, Style::Link(target))
    }

    /// With more behind it.
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.spans.extend(more.into().spans);
        self
    }

    fn styled(mut self, text: &str, style: Style) -> Self {
        if !text.is_empty() {
            self.spans.push(Span { text: visible(text).into_owned(), style });
        }
        self
    }

    /// The spans.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The words alone, code between backticks: for forms without styles.
    pub fn words(&self) -> String {
        let word = |span: &Span| match span.style {
            Style::Code => format!("`{}`", span.text),
            _ => span.text.clone(),
        };
        self.spans.iter().map(word).collect()
    }
}

/// Plain words.
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(&text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::plain(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let text = Text::prose("use `--case <a>` or `b`");
        let code: Vec<&str> = text.spans().iter().filter(|span| *span.style() == Style::Code).map(Span::text).collect();
        assert_eq!(code, ["--case <a>", "b"]);
        assert_eq!(Text::prose("an odd ` one"), Text::plain("an odd ` one"));
        assert_eq!(text.words(), "use `--case <a>` or `b`");
    }

    #[test]
    fn nothing_that_acts_or_hides_is_in_a_text() {
        for make in [Text::plain, Text::prose, Text::code, Text::strong, Text::emphasis] {
            assert_eq!(make("a\u{1b}b").spans()[0].text(), "a\\u{1b}b");
        }
    }
}

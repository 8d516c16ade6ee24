//! The canvas of every figure: plain shapes as SVG elements, with classes instead of colours, so that the style sheet of
//! the page decides them (light, dark, print), and a title and description for screen readers.
//!
//! Not here: what the figures show (`chart::…`), and the style sheet (`html`, `picture`).

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, Render as _, html};

use crate::visible::visible;
use results::case::Mode;
use results::timeline::Phase;

pub mod axis;
pub mod break_even;
pub mod claims;
pub mod first_use;
pub mod fit;
pub mod history;
pub mod ratios;
pub mod sequence;
pub mod sizes;
pub mod square;
pub mod timeline;
pub mod times;

/// What a shape is, as far as colour goes: the style sheet has a class of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// Words that must be read.
    Text,
    /// Words beside them: ticks, units.
    Muted,
    /// Grid lines.
    Grid,
    /// The line that everything is compared with.
    Rule,
    /// An area that means something: a margin, an interval.
    Band,
    /// Native code.
    Native,
    /// The interpreter.
    Interpreter,
    /// Code compiled at the start.
    Jit,
    /// Code compiled ahead of time.
    Aot,
    /// Anything else.
    Other,
    /// The client, at the start and at the end.
    Client,
    /// Container and snapshot, made and deleted.
    Store,
    /// The task, made and deleted.
    Task,
    /// The start of the program.
    Start,
    /// The program itself.
    Work,
    /// The end of the program.
    Exit,
    /// A run that failed.
    Failed,
    /// What a picture brings as its own background.
    Paper,
}

impl Ink {
    /// Every ink.
    pub const ALL: [Self; 18] = [
        Self::Text,
        Self::Muted,
        Self::Grid,
        Self::Rule,
        Self::Band,
        Self::Native,
        Self::Interpreter,
        Self::Jit,
        Self::Aot,
        Self::Other,
        Self::Client,
        Self::Store,
        Self::Task,
        Self::Start,
        Self::Work,
        Self::Exit,
        Self::Failed,
        Self::Paper,
    ];

    /// The ink of a mode; nothing known: `Other`.
    pub const fn of(mode: Option<Mode>) -> Self {
        match mode {
            Some(Mode::Native) => Self::Native,
            Some(Mode::Interpreter) => Self::Interpreter,
            Some(Mode::Jit) => Self::Jit,
            Some(Mode::Aot) => Self::Aot,
            None => Self::Other,
        }
    }

    /// The ink of a phase: what is made and deleted has one.
    pub const fn phase(phase: Phase) -> Self {
        match phase {
            Phase::ClientStart | Phase::ClientEnd => Self::Client,
            Phase::ContainerCreate | Phase::ContainerDelete => Self::Store,
            Phase::TaskCreate | Phase::TaskDelete => Self::Task,
            Phase::ProgramStart => Self::Start,
            Phase::Work | Phase::Program => Self::Work,
            Phase::Exit => Self::Exit,
            Phase::Unattributed => Self::Band,
        }
    }

    /// The class of a shape that is filled with it.
    const fn fill(self) -> &'static str {
        match self {
            Self::Text => "f-text",
            Self::Muted => "f-muted",
            Self::Grid => "f-grid",
            Self::Rule => "f-rule",
            Self::Band => "f-band",
            Self::Native => "f-native",
            Self::Interpreter => "f-interpreter",
            Self::Jit => "f-jit",
            Self::Aot => "f-aot",
            Self::Other => "f-other",
            Self::Client => "f-client",
            Self::Store => "f-store",
            Self::Task => "f-task",
            Self::Start => "f-start",
            Self::Work => "f-work",
            Self::Exit => "f-exit",
            Self::Failed => "f-failed",
            Self::Paper => "f-paper",
        }
    }

    /// The class of a shape that is drawn with it as a line.
    const fn stroke(self) -> &'static str {
        match self {
            Self::Text => "s-text",
            Self::Muted => "s-muted",
            Self::Grid => "s-grid",
            Self::Rule => "s-rule",
            Self::Band => "s-band",
            Self::Native => "s-native",
            Self::Interpreter => "s-interpreter",
            Self::Jit => "s-jit",
            Self::Aot => "s-aot",
            Self::Other => "s-other",
            Self::Client => "s-client",
            Self::Store => "s-store",
            Self::Task => "s-task",
            Self::Start => "s-start",
            Self::Work => "s-work",
            Self::Exit => "s-exit",
            Self::Failed => "s-failed",
            Self::Paper => "s-paper",
        }
    }
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    /// It starts there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

impl Anchor {
    /// As SVG calls it; where a text starts at its point nothing need be said.
    const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Start => None,
            Self::Middle => Some("middle"),
            Self::End => Some("end"),
        }
    }
}

/// A figure's size and its words for those who do not see it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What can be seen in it, with the numbers.
    pub description: &'a str,
    /// Width and height in pixels at natural size.
    pub size: (f64, f64),
}

/// A finished figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// Unique in the page.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What can be seen in it, with the numbers.
    pub description: String,
    size: (f64, f64),
    shapes: String,
}

impl Drawing {
    /// Draws on a canvas of the frame's size.
    pub fn new(frame: &Frame, draw: impl FnOnce(&mut Canvas)) -> Self {
        let mut canvas = Canvas { shapes: String::new() };
        draw(&mut canvas);
        Self {
            id: frame.id.to_owned(),
            title: visible(frame.title).into_owned(),
            description: visible(frame.description).into_owned(),
            size: frame.size,
            shapes: canvas.shapes,
        }
    }

    /// An element of a page, which has the style sheet.
    pub fn element(&self) -> Markup {
        let (width, height) = (pixels(self.size.0), pixels(self.size.1));
        html! {
            svg class="plot" viewBox=(format!("0 0 {width} {height}")) role="img" aria-labelledby=(self.label()) {
                (self.content())
            }
        }
    }

    /// A file of its own, which brings its style sheet.
    pub fn file(&self, style: &str) -> String {
        let (width, height) = (pixels(self.size.0), pixels(self.size.1));
        let markup = html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height) viewBox=(format!("0 0 {width} {height}"))
                role="img" aria-labelledby=(self.label()) {
                style { "\n" (PreEscaped(style)) }
                (self.content())
            }
        };
        markup.into_string() + "\n"
    }

    fn label(&self) -> String {
        format!("{0}-t {0}-d", self.id)
    }

    fn content(&self) -> Markup {
        html! {
            title id={ (self.id) "-t" } { (self.title) }
            desc id={ (self.id) "-d" } { (self.description) }
            (PreEscaped(&self.shapes))
        }
    }
}

/// Something to draw on. Coordinates in pixels from the upper left corner.
#[derive(Debug)]
pub struct Canvas {
    shapes: String,
}

type Point = (f64, f64);

/// To a tenth of a pixel.
fn pixels(value: f64) -> String {
    let tenths = (value * 10.0).round() / 10.0;
    // Minus zero is zero.
    format!("{}", tenths + 0.0)
}

impl Canvas {
    fn push(&mut self, shape: &Markup) {
        shape.render_to(&mut self.shapes);
        self.shapes.push('\n');
    }

    /// A straight line, `width` pixels wide.
    pub fn line(&mut self, (from, to): (Point, Point), ink: Ink, width: f64) {
        self.path(&[from, to], ink, width);
    }

    /// A line through all points.
    pub fn path(&mut self, points: &[Point], ink: Ink, width: f64) {
        let steps: Vec<String> = points.iter().map(|(x, y)| format!("{} {}", pixels(*x), pixels(*y))).collect();
        self.push(&html! { path class=(ink.stroke()) stroke-width=(pixels(width)) d={ "M" (steps.join("L")) } {} });
    }

    /// Marks, all in one element, whose shape tells the ink where colours do not: a circle (a line without length and
    /// with round ends), a square (with square ends, see the style sheet), a diamond, a triangle.
    pub fn dots(&mut self, centers: &[Point], radius: f64, ink: Ink) {
        let size = pixels(radius);
        let shape = match ink {
            Ink::Aot => format!("m0-{size}l{size} {size}l-{size} {size}l-{size}-{size}z"),
            Ink::Jit => format!("m0-{size}l{size} {0}h-{0}z", pixels(radius * 2.0)),
            _ => "h0".to_owned(),
        };
        let mut steps = String::new();
        for (x, y) in centers {
            // Writing to memory does not fail.
            write!(steps, "M{} {}{shape}", pixels(*x), pixels(*y)).unwrap_or_default();
        }
        if steps.is_empty() {
            return;
        }
        if shape == "h0" {
            let class = format!("{} dots", ink.stroke());
            self.push(&html! { path class=(class) stroke-width=(pixels(radius * 2.0)) d=(steps) {} });
        } else {
            self.push(&html! { path class={ (ink.fill()) " marks" } d=(steps) {} });
        }
    }

    /// A bar of an ink, with a hatch that tells it where colours do not.
    pub fn hatched(&mut self, corners: (Point, Point), ink: Ink) {
        self.bar(corners, ink);
        let ((left, top), (right, bottom)) = corners;
        let step = match ink {
            Ink::Interpreter => 4.0,
            Ink::Aot => 9.0,
            Ink::Jit => 2.5,
            _ => return,
        };
        let (mut steps, mut x) = (String::new(), left + step);
        while x < right - 0.5 {
            write!(steps, "M{} {}V{}", pixels(x), pixels(top), pixels(bottom)).unwrap_or_default();
            x += step;
        }
        if !steps.is_empty() {
            self.push(&html! { path class=(Ink::Paper.stroke()) stroke-width="1" d=(steps) {} });
        }
    }

    /// An open circle.
    pub fn ring(&mut self, (x, y): Point, radius: f64, ink: Ink) {
        let class = ink.stroke();
        self.push(&html! {
            circle class=(class) stroke-width="0.8" cx=(pixels(x)) cy=(pixels(y)) r=(pixels(radius)) {}
        });
    }

    /// A saltire.
    pub fn cross(&mut self, (x, y): Point, radius: f64, ink: Ink) {
        self.line(((x - radius, y - radius), (x + radius, y + radius)), ink, 1.2);
        self.line(((x - radius, y + radius), (x + radius, y - radius)), ink, 1.2);
    }

    /// A filled rectangle between two corners.
    pub fn bar(&mut self, (upper_left, lower_right): (Point, Point), ink: Ink) {
        let (width, height) = (lower_right.0 - upper_left.0, lower_right.1 - upper_left.1);
        self.push(&html! {
            rect class=(ink.fill()) x=(pixels(upper_left.0)) y=(pixels(upper_left.1))
                width=(pixels(width.max(0.0))) height=(pixels(height.max(0.0))) {}
        });
    }

    /// A line of text, its middle at the height of the point.
    pub fn text(&mut self, at: Point, text: &str, (ink, anchor): (Ink, Anchor)) {
        self.write(at, text, (ink.fill(), anchor));
    }

    /// The same, bold.
    pub fn bold(&mut self, at: Point, text: &str, (ink, anchor): (Ink, Anchor)) {
        self.write(at, text, (&format!("{} bold", ink.fill()), anchor));
    }

    fn write(&mut self, (x, y): Point, text: &str, (class, anchor): (&str, Anchor)) {
        self.push(&html! {
            text class=(class) x=(pixels(x)) y=(pixels(y)) dy=".35em" text-anchor=[anchor.attribute()] { (visible(text)) }
        });
    }
}

/// What each of so many gets of a number of marks, but never so few that nothing can be seen.
fn share(all: usize, of: usize) -> usize {
    (all / of.max(1)).max(40)
}

/// At most `limit` of the items, evenly spaced, with the first and the last of them.
pub fn thinned<T: Copy>(items: &[T], limit: usize) -> Vec<T> {
    if items.len() <= limit || limit < 2 {
        return items.to_vec();
    }
    (0..limit).map(|index| items[index * (items.len() - 1) / (limit - 1)]).collect()
}

#[cfg(test)]
mod tests;

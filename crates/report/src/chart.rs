//! The canvas of every figure: plain shapes drawn by plotters' SVG backend, with classes instead of colours, so that
//! the style sheet of the page decides them (light, dark, print), and a title and description for screen readers.
//!
//! Not here: what the figures show (`chart::…`), and the style sheet (`html`, `picture`). Axes are drawn by hand:
//! plotters' own mesh can not be told which ticks a log scale of less than a decade needs.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::{
    Circle, Color as _, DrawingArea, IntoDrawingArea as _, IntoFont as _, PathElement, RGBColor, Rectangle, SVGBackend,
    Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, ShapeStyle, TextStyle};

use super::html::escape;
use crate::visible::visible;
use results::case::Mode;

pub mod axis;
pub mod fit;
pub mod ratios;
pub mod sequence;
pub mod sizes;
pub mod times;

/// plotters counts whole pixels; tenths make lines meet.
const SCALE: f64 = 10.0;

/// What a shape is, as far as colour goes. Its place here becomes the blue channel of the colour that plotters
/// writes, which is then replaced by the class of the same name.
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
    /// A sample of native code.
    NativeDot,
    /// A sample of the interpreter.
    InterpreterDot,
    /// A sample of code compiled at the start.
    JitDot,
    /// A sample of code compiled ahead of time.
    AotDot,
    /// A sample of anything else.
    OtherDot,
    /// A run that failed.
    Failed,
    /// What a picture brings as its own background.
    Paper,
}

impl Ink {
    const ALL: [(Self, &'static str); 17] = [
        (Self::Text, "text"),
        (Self::Muted, "muted"),
        (Self::Grid, "grid"),
        (Self::Rule, "rule"),
        (Self::Band, "band"),
        (Self::Native, "native"),
        (Self::Interpreter, "interpreter"),
        (Self::Jit, "jit"),
        (Self::Aot, "aot"),
        (Self::Other, "other"),
        (Self::NativeDot, "native-dot"),
        (Self::InterpreterDot, "interpreter-dot"),
        (Self::JitDot, "jit-dot"),
        (Self::AotDot, "aot-dot"),
        (Self::OtherDot, "other-dot"),
        (Self::Failed, "failed"),
        (Self::Paper, "paper"),
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

    /// The ink of one sample of a mode.
    pub const fn dot(mode: Option<Mode>) -> Self {
        match mode {
            Some(Mode::Native) => Self::NativeDot,
            Some(Mode::Interpreter) => Self::InterpreterDot,
            Some(Mode::Jit) => Self::JitDot,
            Some(Mode::Aot) => Self::AotDot,
            None => Self::OtherDot,
        }
    }

    const fn color(self) -> RGBColor {
        RGBColor(0, 0, self as u8)
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

/// A figure's size and its words for those who do not see it.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Unique in the page.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What can be seen in it.
    pub description: &'a str,
    /// Width and height in pixels at natural size.
    pub size: (f64, f64),
}

/// Something to draw on. Coordinates in pixels from the upper left corner.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

type Point = (f64, f64);

#[expect(clippy::cast_possible_truncation, reason = "figures are a few thousand tenths of a pixel wide")]
fn tenths(pixels: f64) -> i32 {
    (pixels * SCALE).round() as i32
}

fn units(pixels: f64) -> u32 {
    u32::try_from(tenths(pixels)).unwrap_or(0)
}

fn point((x, y): Point) -> (i32, i32) {
    (tenths(x), tenths(y))
}

fn stroke(ink: Ink, width: f64) -> ShapeStyle {
    ink.color().stroke_width(units(width))
}

impl Canvas<'_> {
    /// A straight line, `width` pixels wide.
    pub fn line(&self, (from, to): (Point, Point), ink: Ink, width: f64) -> Result<()> {
        self.path(&[from, to], ink, width)
    }

    /// A line through all points.
    pub fn path(&self, points: &[Point], ink: Ink, width: f64) -> Result<()> {
        let points: Vec<_> = points.iter().copied().map(point).collect();
        Ok(self.area.draw(&PathElement::new(points, stroke(ink, width)))?)
    }

    /// A filled circle.
    pub fn dot(&self, center: Point, radius: f64, ink: Ink) -> Result<()> {
        Ok(self.area.draw(&Circle::new(point(center), units(radius), ink.color().filled()))?)
    }

    /// An open circle.
    pub fn ring(&self, center: Point, radius: f64, ink: Ink) -> Result<()> {
        Ok(self.area.draw(&Circle::new(point(center), units(radius), stroke(ink, 0.8)))?)
    }

    /// A saltire.
    pub fn cross(&self, (x, y): Point, radius: f64, ink: Ink) -> Result<()> {
        self.line(((x - radius, y - radius), (x + radius, y + radius)), ink, 1.2)?;
        self.line(((x - radius, y + radius), (x + radius, y - radius)), ink, 1.2)
    }

    /// A filled rectangle between two corners.
    pub fn bar(&self, (upper_left, lower_right): (Point, Point), ink: Ink) -> Result<()> {
        Ok(self.area.draw(&Rectangle::new([point(upper_left), point(lower_right)], ink.color().filled()))?)
    }

    /// A line of text, its middle at the height of the point.
    pub fn text(&self, at: Point, text: &str, (ink, anchor): (Ink, Anchor)) -> Result<()> {
        self.write(at, text, (ink, anchor, FontStyle::Normal))
    }

    /// The same, bold.
    pub fn bold(&self, at: Point, text: &str, (ink, anchor): (Ink, Anchor)) -> Result<()> {
        self.write(at, text, (ink, anchor, FontStyle::Bold))
    }

    fn write(&self, at: Point, text: &str, (ink, anchor, weight): (Ink, Anchor, FontStyle)) -> Result<()> {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = ("sans-serif", FONT_SIZE, weight).into_font();
        let color = ink.color();
        let style = TextStyle::from(font).color(&color).pos(Pos::new(h_pos, VPos::Center));
        Ok(self.area.draw(&Text::new(visible(text), point(at), style))?)
    }
}

/// A size that no figure uses: the attribute is taken out again, the style sheet decides.
const FONT_SIZE: f64 = 124.0;

/// Draws a figure: an `<svg>` element for a page.
pub fn svg(frame: &Frame, draw: impl FnOnce(&Canvas) -> Result<()>) -> Result<String> {
    let mut raw = String::new();
    let size = (units(frame.size.0), units(frame.size.1));
    {
        let area = SVGBackend::with_string(&mut raw, size).into_drawing_area();
        let canvas = Canvas { area };
        draw(&canvas)?;
        canvas.area.present()?;
    }
    let body = raw.split_once('\n').map_or("", |(_, body)| body);
    let (id, width, height) = (escape(frame.id), size.0, size.1);
    let head = format!(
        "<svg class=\"plot\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n",
        escape(frame.title),
        escape(frame.description)
    );
    Ok(head + &classes(body))
}

/// Colours become classes, and what the style sheet says anyway goes.
fn classes(body: &str) -> String {
    let mut text = body.to_owned();
    for (ink, name) in Ink::ALL {
        let color = format!("#0000{:02X}", ink as u8);
        text = text.replace(&format!("fill=\"{color}\""), &format!("class=\"f-{name}\""));
        text = text.replace(&format!("stroke=\"{color}\""), &format!("class=\"s-{name}\""));
    }
    let font = format!(" font-family=\"sans-serif\" font-size=\"{}\"", FONT_SIZE / 1.24);
    let superfluous =
        [" opacity=\"1\"", " stroke=\"none\" stroke-width=\"1\"", " stroke=\"none\"", " fill=\"none\"", &font];
    for attribute in superfluous {
        text = text.replace(attribute, "");
    }
    text
}

/// At most `limit` of the items, evenly spaced, with the first and the last of them.
pub fn thinned<T: Copy>(items: &[T], limit: usize) -> Vec<T> {
    if items.len() <= limit || limit < 2 {
        return items.to_vec();
    }
    (0..limit).map(|index| items[index * (items.len() - 1) / (limit - 1)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_carry_classes_and_no_colours() {
        let frame = Frame { id: "x", title: "a < b", description: "c & d", size: (10.0, 10.0) };
        let text = svg(&frame, |canvas| {
            for (ink, _) in Ink::ALL {
                canvas.line(((0.0, 0.0), (5.0, 5.0)), ink, 1.0)?;
                canvas.dot((1.0, 1.0), 2.0, ink)?;
                canvas.ring((1.0, 1.0), 2.0, ink)?;
                canvas.bar(((1.0, 1.0), (2.0, 2.0)), ink)?;
                canvas.bold((1.0, 1.0), "<&>", (ink, Anchor::End))?;
            }
            Ok(())
        })
        .unwrap();
        assert!(!text.contains('#') && !text.contains("font-size") && !text.contains("http"), "{text}");
        assert!(text.contains("class=\"f-native-dot\"") && text.contains("class=\"s-rule\""));
        assert!(text.contains("<title id=\"x-t\">a &lt; b</title>") && text.ends_with("</svg>\n"));
    }

    #[test]
    fn thinning_keeps_both_ends() {
        let items: Vec<u32> = (0..1000).collect();
        let thin = thinned(&items, 10);
        assert_eq!((thin.len(), thin[0], thin[9]), (10, 0, 999));
        assert_eq!(thinned(&items[..5], 10), items[..5]);
    }
}

//! Time against size on one side of the container wall: samples of a sweep as dots, `a + b·n` as a line per case. Both
//! scales are log: the flat part of a line is fixed cost, the rising part execution.
//!
//! Not here: the fit.

use super::axis::{Axis, tick_label};
use super::times::counted;
use super::{Anchor, Canvas, Drawing, Frame, Ink, thinned};
use crate::Run;
use crate::view::{self, Side};
use results::Fit;

const WIDTH: f64 = 420.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 250.0;
/// Dots of one case at one size.
const DOTS: usize = 60;
const STEPS: u32 = 48;

/// The figure of a sweep on one side; nothing when it has no fit there.
pub fn figure((run, samples): (&Run, &view::SamplesByCell), (sweep, side): (&str, Side), id: &str) -> Option<Drawing> {
    let fits: Vec<&Fit> =
        view::fits(run).filter(|fit| fit.sweep == sweep && view::side(run, &fit.case) == side).collect();
    let dots: Vec<(&Fit, Vec<(f64, f64)>)> = fits.iter().map(|fit| (*fit, dots((run, samples), fit))).collect();
    let points = || dots.iter().flat_map(|(_, dots)| dots.iter().copied());
    points().next()?;
    let top = 14.0 * dots.len() as f64 + 8.0;
    let sizes = Axis::log(points().map(|(n, _)| n), (LEFT, WIDTH - 6.0));
    let times = Axis::log(points().map(|(_, ms)| ms), (BOTTOM, top));
    let words: Vec<String> = fits.iter().map(|fit| describe(fit)).collect();
    let title = format!("{sweep}: time against n, {}", side.title());
    let frame =
        Frame { id, title: &title, description: &format!("{}.", words.join("; ")), size: (WIDTH, BOTTOM + 34.0) };
    Some(Drawing::new(&frame, |canvas| {
        sizes.draw_grid(canvas, (top, BOTTOM));
        sizes.draw_values(canvas, BOTTOM, "n");
        for tick in times.ticks(5.0) {
            let y = times.at(tick);
            canvas.line(((LEFT, y), (WIDTH, y)), Ink::Grid, 1.0);
            canvas.text((LEFT - 5.0, y), &tick_label(tick), (Ink::Muted, Anchor::End));
        }
        canvas.text((LEFT - 5.0, top - 8.0), "ms", (Ink::Muted, Anchor::End));
        for (index, (fit, dots)) in dots.iter().enumerate() {
            legend(canvas, (run, fit), 14.0 * index as f64 + 7.0);
            let centers: Vec<(f64, f64)> = dots.iter().map(|(n, ms)| (sizes.at(*n), times.at(*ms))).collect();
            canvas.dots(&centers, 1.8, Ink::of(view::mode(run, &fit.case)));
            curve(canvas, (run, fit), (&sizes, &times));
        }
    }))
}

fn describe(fit: &Fit) -> String {
    let a = view::estimate(fit.a, 1e-6).with_brackets();
    format!("{}: {a} ms and {} ns per n", fit.case, view::estimate(fit.b_per_n, 1.0).with_brackets())
}

fn legend(canvas: &mut Canvas, (run, fit): (&Run, &Fit), y: f64) {
    let ink = Ink::of(view::mode(run, &fit.case));
    canvas.line(((LEFT + 2.0, y), (LEFT + 16.0, y)), ink, 2.0);
    canvas.text((LEFT + 21.0, y), &fit.case, (ink, Anchor::Start));
    let a = view::estimate(fit.a, 1e-6).value;
    let b = view::estimate(fit.b_per_n, 1.0).value;
    canvas.text((WIDTH - 4.0, y), &format!("{a} ms + {b} ns · n"), (Ink::Text, Anchor::End));
}

fn curve(canvas: &mut Canvas, (run, fit): (&Run, &Fit), (sizes, times): (&Axis, &Axis)) {
    let (Some(a), Some(b)) = (fit.a, fit.b_per_n) else { return };
    let (Some(&least), Some(&most)) = (fit.sizes.iter().min(), fit.sizes.iter().max()) else { return };
    if least == 0 {
        return;
    }
    let (least, most) = (least as f64, most as f64);
    let points: Vec<(f64, f64)> = (0..=STEPS)
        .map(|step| least * (most / least).powf(f64::from(step) / f64::from(STEPS)))
        .map(|n| (n, (a.value + b.value * n) / 1e6))
        .filter(|(_, ms)| *ms > 0.0)
        .map(|(n, ms)| (sizes.at(n), times.at(ms)))
        .collect();
    canvas.path(&points, Ink::of(view::mode(run, &fit.case)), 1.6);
}

/// Size and time of the samples behind a fit; sizes of zero have no place on a log scale.
fn dots((run, samples): (&Run, &view::SamplesByCell), fit: &Fit) -> Vec<(f64, f64)> {
    let mut dots = Vec::new();
    let points = run.manifest.benches.iter().filter_map(|bench| {
        let point = bench.sweep.as_ref().filter(|point| point.name == fit.sweep && point.n > 0)?;
        Some((bench, point.n as f64))
    });
    for (bench, n) in points {
        let counted = counted(samples, &bench.name, &fit.case);
        let mut times: Vec<f64> = samples::timed(&counted).into_iter().map(|(_, ms)| ms).collect();
        times.sort_by(f64::total_cmp);
        dots.extend(thinned(&times, DOTS).into_iter().map(|ms| (n, ms)));
    }
    dots
}

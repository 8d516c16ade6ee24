//! What every figure is drawn with.

use super::*;

#[test]
fn shapes_carry_classes_and_no_colours() {
    let frame = Frame { id: "x", title: "a < b", description: "c & d", size: (10.0, 10.0) };
    let drawing = Drawing::new(&frame, |canvas| {
        for ink in Ink::ALL {
            canvas.line(((0.0, 0.0), (5.0, 5.0)), ink, 1.0);
            canvas.dots(&[(1.0, 1.0), (2.0, -0.01)], 2.0, ink);
            canvas.ring((1.0, 1.0), 2.0, ink);
            canvas.bar(((1.0, 1.0), (2.0, 2.0)), ink);
            canvas.bold((1.0, 1.0), "<&>\u{1b}", (ink, Anchor::End));
        }
    });
    let text = drawing.element().into_string();
    assert!(!text.contains('#') && !text.contains("font-size") && !text.contains("http"), "{text}");
    assert!(text.contains("class=\"s-native dots\"") && text.contains("class=\"s-rule\""));
    assert!(text.contains("m0-2l2 2l-2 2l-2-2z"), "{text}");
    assert!(text.contains("M1 1h0M2 0h0") && text.contains("&lt;&amp;&gt;\\u{1b}"), "{text}");
    assert!(text.contains("<title id=\"x-t\">a &lt; b</title>") && text.ends_with("</svg>"));
}

#[test]
fn thinning_keeps_both_ends() {
    let items: Vec<u32> = (0..1000).collect();
    let thin = thinned(&items, 10);
    assert_eq!((thin.len(), thin[0], thin[9]), (10, 0, 999));
    assert_eq!(thinned(&items[..5], 10), items[..5]);
}

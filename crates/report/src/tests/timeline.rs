//! A run with traced runs and resources, as every form shows it.

use crate::terminal::{self, ColourChoice};
use crate::{findings, fixture, html, markdown};

#[test]
fn the_sentence_on_time_names_the_largest_phase_of_each_container() {
    let text = findings::sentences(&fixture::traced())[1].clone();
    assert!(text.contains("in traced runs the largest part is of native/runc “task created” ("), "{text}");
    assert!(!findings::sentences(&fixture::complete())[1].contains("traced"));
}

#[test]
fn what_is_missing_is_said_in_its_row_in_every_form() {
    let run = fixture::traced();
    let page = html::render(&run);
    for text in [terminal::render(&run, ColourChoice::Plain), markdown::readme(&run), page.clone()] {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("monotonic clock is not the host"), "{words}");
        assert!(words.contains("it printed nothing") && words.contains("Not all of it could be measured: a reason"));
    }
    for part in ["id=\"timeline\"", "id=\"resources\"", "class=\"f-task\"", "class=\"f-band\"", "gantt"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!html::render(&fixture::complete()).contains("id=\"timeline\""));
}

#[test]
fn of_a_program_that_prints_no_clock_it_is_said_what_is_not_dated() {
    let mut run = fixture::traced();
    run.manifest.traced[0].program = "array-sum".to_owned();
    for text in [terminal::render(&run, ColourChoice::Plain), markdown::readme(&run), html::render(&run)] {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Not measured: when the program of") && words.contains("It does not print its clock"));
    }
    assert!(!markdown::readme(&fixture::traced()).contains("does not print its clock"));
}

#[test]
fn the_text_to_paste_has_a_line_for_each_phase_that_begins_where_the_last_one_ended() {
    let text = markdown::readme(&fixture::traced());
    let of_runc = text.split("section native/runc").nth(1).unwrap().split("section").next().unwrap();
    let lines: Vec<(u64, u64)> = of_runc
        .lines()
        .filter_map(|line| line.split_once(" : ")?.1.split_once(", "))
        .map(|(from, to)| (from.parse().unwrap(), to.trim().parse().unwrap()))
        .collect();
    assert_eq!(lines.len(), 9, "{of_runc}");
    assert!(lines[0].0 == 0 && lines.iter().all(|(from, to)| from < to), "{lines:?}");
    assert!(lines.windows(2).all(|pair| pair[1].0.abs_diff(pair[0].1) <= 1), "{lines:?}");
}

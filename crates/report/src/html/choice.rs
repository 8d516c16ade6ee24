//! Choosing what a page shows, without a script: each combination of options is a target, so what is chosen stands in the
//! page's address and a link to it holds. Without `:has` a browser shows everything.
//!
//! Not here: what the options are (`document::choice`).

use maud::{Markup, html};

use super::{block, text};
use crate::document::{Block, Choice, Facet, Form, OneOf};

/// With more combinations than this only one facet is chosen at a time: each takes a line of links.
const COMBINATIONS: usize = 64;

/// An option of each facet; absent where nothing is chosen.
type State = Vec<Option<usize>>;
/// A state that is looked at.
type Chosen = [Option<usize>];

/// The class of what belongs to a facet, and with a number to an option.
pub const fn class(facet: Facet) -> &'static str {
    match facet {
        Facet::Bench => "b",
        Facet::Baseline => "k",
        Facet::Start => "w",
    }
}

/// A line of links for each combination, of which the one that was followed is shown.
pub fn links(choices: &[Choice]) -> Markup {
    if choices.is_empty() {
        return html! {};
    }
    let states = states(choices);
    html! {
        div class="choices" {
            @for (index, state) in states.iter().enumerate() {
                span class=(classes(choices, state)) id=(id(choices, state)) {}
                nav class=(if index == 0 { "choice first" } else { "choice" }) aria-label="What is shown" {
                    @for (place, choice) in choices.iter().enumerate() {
                        (line((choices, &states), state, (place, choice)))
                    }
                }
                "\n"
            }
        }
    }
}

fn line((choices, states): (&[Choice], &[State]), state: &Chosen, (place, choice): (usize, &Choice)) -> Markup {
    let all = choice.facet.all().map(|words| (None, html! { (words) }));
    let options = choice.options.iter().enumerate();
    let options = options.map(|(index, words)| (option(choice, index), html! { (text(words)) }));
    html! {
        p {
            (choice.facet.title()) ": "
            @for (index, (option, words)) in all.into_iter().chain(options).enumerate() {
                @if index > 0 { " · " }
                @if state[place] == option {
                    b { (words) }
                } @else {
                    a href={ "#" (id(choices, &changed(states, state, (place, option)))) } { (words) }
                }
            }
        }
    }
}

/// An option as a state has it: of a facet that shows its first one anyway, that is nothing chosen.
fn option(choice: &Choice, index: usize) -> Option<usize> {
    (choice.facet.all().is_some() || index > 0).then_some(index)
}

/// The state with another option; the others are given up where there is no such combination.
fn changed(states: &[State], state: &Chosen, (place, option): (usize, Option<usize>)) -> State {
    let mut wanted = state.to_vec();
    wanted[place] = option;
    if !states.contains(&wanted) {
        wanted = vec![None; state.len()];
        wanted[place] = option;
    }
    wanted
}

/// Every combination, the one of nothing chosen first.
fn states(choices: &[Choice]) -> Vec<State> {
    let mut states: Vec<State> = vec![Vec::new()];
    for choice in choices {
        let mut options = vec![None];
        options.extend((0..choice.options.len()).filter_map(|index| option(choice, index).map(Some)));
        let longer = states.iter().flat_map(|state| options.iter().map(|each| [&state[..], &[*each]].concat()));
        states = longer.collect();
    }
    if states.len() > COMBINATIONS {
        states.retain(|state| state.iter().flatten().count() < 2);
    }
    states
}

fn id(choices: &[Choice], state: &Chosen) -> String {
    let chosen = choices.iter().zip(state).filter_map(|(choice, option)| Some((class(choice.facet), (*option)?)));
    chosen.fold("show".to_owned(), |id, (class, index)| format!("{id}-{class}{index}"))
}

/// The classes of a target: the options that are shown, those that are so without being chosen among them.
fn classes(choices: &[Choice], state: &Chosen) -> String {
    let shown = choices.iter().zip(state).filter_map(|(choice, option)| {
        let first = choice.facet.all().is_none().then_some(0);
        Some(format!("{}{}", class(choice.facet), option.or(first)?))
    });
    shown.fold("state".to_owned(), |classes, class| format!("{classes} {class}"))
}

/// Blocks of which one is shown: each is a target of its own, and leads to the others.
pub fn one_of(one_of: &OneOf, blocks: &[Block]) -> Markup {
    let id = |index: usize| format!("{}-{index}", one_of.id);
    html! {
        div class="options" {
            @for (index, shown) in blocks.iter().enumerate().filter(|(_, block)| block.is_in(Form::Page)) {
                div class=(if index == 0 { "option first" } else { "option" }) id=(id(index)) {
                    nav aria-label=(one_of.title) {
                        p {
                            (one_of.title) ": "
                            @for (other, name) in one_of.names.iter().enumerate() {
                                @if other > 0 { " · " }
                                @if other == index { b { (text(name)) } } @else { a href={ "#" (id(other)) } { (text(name)) } }
                            }
                        }
                    }
                    (block(shown))
                }
                "\n"
            }
        }
    }
}

/// The style that goes with it.
pub fn style(choices: &[Choice]) -> String {
    let rules = choices.iter().flat_map(|choice| {
        let class = class(choice.facet);
        let rule = move |when: String, index: usize| {
            format!("body{when} .only-{class}:not(.{class}{index}) {{ display: none; }}\n")
        };
        let chosen =
            (0..choice.options.len()).map(move |index| rule(format!(":has(.state.{class}{index}:target)"), index));
        let first = choice.facet.all().is_none().then(|| rule(":not(:has(.state:target))".to_owned(), 0));
        chosen.chain(first)
    });
    rules.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Text;

    fn choices(counts: [usize; 3]) -> Vec<Choice> {
        let facets = [Facet::Bench, Facet::Baseline, Facet::Start].into_iter().zip(counts);
        let options = |count: usize| (0..count).map(|index| Text::plain(&format!("option {index}"))).collect();
        facets.filter_map(|(facet, count)| Choice::of(facet, options(count))).collect()
    }

    #[test]
    fn every_combination_has_an_address_and_leads_to_its_neighbours() {
        let choices = choices([2, 3, 2]);
        // One more for the benches: every one.
        assert_eq!(states(&choices).len(), 3 * 3 * 2);
        let page = links(&choices).into_string();
        assert!(page.contains("class=\"state k0 w0\" id=\"show\""), "{page}");
        let of_last = page.split("id=\"show-b1-k2-w1\"").nth(1).unwrap();
        for neighbour in ["#show-k2-w1\"", "#show-b0-k2-w1\"", "#show-b1-w1\"", "#show-b1-k2\""] {
            assert!(of_last.contains(neighbour), "{neighbour} in {of_last}");
        }
    }

    #[test]
    fn many_options_are_chosen_one_at_a_time() {
        let choices = choices([40, 4, 3]);
        assert_eq!(states(&choices).len(), 1 + 40 + 3 + 2);
        let page = links(&choices).into_string();
        let links: Vec<&str> = page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.iter().all(|id| page.contains(&format!("id=\"{id}\""))), "a link leads nowhere");
    }

    #[test]
    fn where_there_is_nothing_to_choose_nothing_is_offered() {
        assert_eq!(links(&choices([1, 1, 0])).into_string(), "");
        assert_eq!(style(&choices([1, 1, 0])), "");
    }
}

//! Images for runs that are to pull one: the programs that are measured, each in an image for its cell and round that nobody
//! has had. They are made of what the manifest says of the run, and pushed before the rounds.
//!
//! They stay in the registry. Not here: whether a node did pull (`cluster::jobs`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};

use super::Prepared;
use super::images::{epoch, named};
use crate::measure::runs::NamedImage;
use crate::plan::{Place, Plan, Rounds};
use crate::registry::push;
use crate::stop::Stop;
use oci::Content;
use oci::marked::{self, Mark, Marked};

/// The image of each run that is to pull one, by its round and place.
pub type Images = BTreeMap<(u32, Place), NamedImage>;

/// A program's image in a cell, whichever node pulls it.
type Wanted<'a> = (&'a str, usize);

/// Makes and pushes them for the places of these benches.
///
/// # Errors
/// When one can not be made or pushed, or somebody wishes to stop.
pub fn ship(prepared: &Prepared, plan: &Plan, benches: &[usize], (run, stop): (&str, &Stop)) -> anyhow::Result<Images> {
    let mut images = Images::new();
    let pulling = |place: &Place| benches.contains(&place.bench);
    let places: Vec<Place> = plan.schedule.places().into_iter().filter(pulling).collect();
    let wanted = |place: &Place| (plan.benches[place.bench].program.as_str(), place.cell);
    let all: BTreeSet<Wanted<'_>> = places.iter().map(wanted).collect();
    let rounds = plan.schedule.rounds();
    for round in 0..rounds.warmup + rounds.counted {
        let made = of_round(prepared, plan, &all, (run, round, stop))?;
        let of_place = |place: &Place| Some(((round, *place), made.get(&wanted(place))?.clone()));
        images.extend(places.iter().filter_map(of_place));
    }
    Ok(images)
}

fn of_round<'a>(
    prepared: &Prepared,
    plan: &Plan,
    wanted: &BTreeSet<Wanted<'a>>,
    (run, round, stop): (&str, u32, &Stop),
) -> anyhow::Result<BTreeMap<Wanted<'a>, NamedImage>> {
    let shipped = &prepared.shipped;
    let registry = shipped.registry.as_ref().context("there is no registry to push to")?;
    let contents = contents(prepared, plan, wanted)?;
    let mut known = Vec::new();
    let mut parts = Vec::new();
    for (of, content) in wanted.iter().zip(&contents) {
        let cell = &plan.schedule.cells()[of.1];
        let name = cell.case.image.as_deref().context("it runs no image")?;
        let definition = shipped.definition(name).with_context(|| format!("the image `{name}` was not made"))?;
        let mark = mark(name, run, (plan.schedule.rounds(), round), (of.1, &cell.name));
        parts.push(Marked { content, definition, mark });
        known.push((*of, definition));
    }
    let images = marked::build(&parts, shipped.bases(), epoch()?)?;
    let pushed = push(&images, &registry.destination, (&registry.access, stop), &mut |_| ())?.pushed;
    let mut found = BTreeMap::new();
    for ((of, definition), part) in known.into_iter().zip(&parts) {
        let is_its = |image: &&oci::Image| image.program() == of.0 && image.name() == part.mark.tag;
        let image = images.images().iter().find(is_its).context("an image was not made")?;
        let pushed = pushed.iter().find(|pushed| pushed.digest() == image.manifest().digest());
        found.insert(of, named(image, pushed.context("an image was not pushed")?, definition));
    }
    Ok(found)
}

/// The file that each image holds.
fn contents(prepared: &Prepared, plan: &Plan, wanted: &BTreeSet<Wanted<'_>>) -> anyhow::Result<Vec<Content>> {
    let content = |(program, cell): &Wanted<'_>| {
        let kind = plan.schedule.cells()[*cell].case.form;
        let is_its = |artifact: &&crate::compile::Artifact| artifact.program == *program && artifact.kind == kind;
        let artifact = prepared.artifacts.iter().find(is_its);
        let path = &artifact.with_context(|| format!("`{program}` was not built as {kind}"))?.path;
        let bytes = std::fs::read(path).with_context(|| format!("can not read the artifact `{}`", path.display()))?;
        ensure!(!bytes.is_empty(), "the artifact `{}` is empty", path.display());
        Ok(Content { program: (*program).to_owned(), kind, bytes })
    };
    wanted.iter().map(content).collect()
}

/// What tells an image from every other one. The run is in it, so that no node has it of a run with the same seed.
fn mark(image: &str, run: &str, (rounds, round): (Rounds, u32), (cell, name): (usize, &str)) -> Mark {
    Mark {
        tag: format!("{image}-{run}-r{round}-c{cell}"),
        text: format!("{run}, seed {}, round {round}, {name}\n", rounds.seed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_differs_by_run_seed_round_and_cell_and_by_nothing_else() {
        let of = |run: &str, seed, round, cell| {
            let rounds = Rounds { warmup: 0, counted: 2, seed };
            mark("native", run, (rounds, round), (cell, if cell == 0 { "first" } else { "second" }))
        };
        let first = of("run", 1, 0, 0);
        assert_eq!(of("run", 1, 0, 0), first);
        for other in [of("other", 1, 0, 0), of("run", 2, 0, 0), of("run", 1, 1, 0), of("run", 1, 0, 1)] {
            assert_ne!(other.text, first.text);
        }
        assert_eq!(first.tag, "native-run-r0-c0");
    }
}

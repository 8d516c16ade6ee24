//! Jobs on a Kubernetes cluster: what their numbers can tell; the kubelets' calls by node; every ratio over all nodes, and
//! what nodes differ by.

use crate::Run;
use crate::document::{Block, Column, Row, Section, Table, Text};
use crate::number::{Rounded, interval};
use crate::view;
use results::metric::{HEADLINE, job};
use results::{AcrossNodes, CaseSummary, Comparison, NodesRatio};

const WHAT: &str = "Each row is a program as a Job of Kubernetes: `@` is followed by its node, or by how many pods were made at once, over \
    all nodes, until the last one had ended. Before each Job of `+pull` its node had never had the image. The time is what `kubectl` shows: asked for until its pod is seen to have ended. A kubelet \
    of many versions looks at its containers once a second, and Kubernetes' own times are whole seconds, so that the time of a single \
    Job falls somewhere in that second and says nearly nothing of a runtime.";
const TELLS: &str = "What tells runtimes apart are the kubelets' own counters of each call to the container runtime \
    (`run_podsandbox`, `create_container`, `start_container`), read before and after a Job, and pods at once.";
const UNCOUNTED: &str = "The kubelets' counters could not be read here, so that only pods at once tell runtimes apart.";
const POOLED: &str = "All nodes together: in each round the geometric mean of the nodes' ratios, then the median over rounds with its \
    interval. That is of these nodes, and of no others. Node by node: the same over cases, of each node to the first.";

const PULLS: &str = "A node that pulls has the image made for this one Job: its program's layer holds a small file that no other has. How long \
    that took is what its kubelet said, from asking the registry to the image unpacked, and a part of the time until the Job's end.";

/// The calls, with short headings.
const COLUMNS: [(&str, &str); 4] = [
    (job::CALLS[0].1, "run sandbox"),
    (job::CALLS[1].1, "create"),
    (job::CALLS[2].1, "start"),
    (job::TOGETHER, "together [low, high]"),
];

/// The section.
pub fn section(run: &Run) -> Section {
    let mut section = Section::new("jobs", "Jobs on a cluster");
    if !run.manifest.cells.iter().any(|cell| job::has(&cell.case)) {
        return section;
    }
    let counted = run.samples.iter().any(|sample| sample.value(job::CALLS[0].1).is_some());
    section.push(Block::key(Text::prose(WHAT)));
    section.push(Block::key(Text::prose(if counted { TELLS } else { UNCOUNTED })));
    let calls: Vec<&CaseSummary> = view::rows_of(run, job::TOGETHER).filter(|row| row.n > 0).collect();
    if !calls.is_empty() {
        section.push(Block::table(table(run, &calls)));
    }
    let pulls: Vec<&CaseSummary> = view::rows_of(run, job::PULLED).filter(|row| row.n > 0).collect();
    if !pulls.is_empty() {
        section.push(Block::table(pulled(run, &pulls)));
        section.push(Block::key(Text::prose(PULLS)));
    }
    let across = &run.summary.across_nodes;
    let of = |metric: &'static str| across.iter().filter(move |row| row.metric == metric);
    let shown: Vec<&AcrossNodes> = of(job::TOGETHER).chain(of(job::PULLED)).chain(of(HEADLINE)).collect();
    if !shown.is_empty() {
        section.push(Block::table(nodes("All nodes of the cluster together", &shown, |of| &of.pooled, "case")));
        section.push(Block::table(nodes("Node by node", &shown, |of| &of.between, "node")));
        section.push(Block::key(Text::prose(POOLED)));
    }
    section
}

fn table(run: &Run, cells: &[&CaseSummary]) -> Table {
    let row = |cell: &&CaseSummary| {
        let values = COLUMNS.map(|(metric, _)| {
            let of = view::rows_of(run, metric).find(|row| row.bench == cell.bench && row.case == cell.case);
            let Some(row) = of.filter(|row| row.n > 0) else { return String::new() };
            // One interval is enough: that of the sum.
            let ends = interval(row.ci_low, row.ci_high).filter(|_| metric == job::TOGETHER);
            Rounded::ms(row.median, ends).with_brackets()
        });
        let ratio = ratio(run, cell);
        Row::of([cell.bench.clone(), cell.case.clone(), cell.n.to_string()].into_iter().chain(values).chain([ratio]))
    };
    let columns = COLUMNS.map(|(_, heading)| Column::right(heading).unit("ms"));
    let first = [Column::left("bench"), Column::left("case"), Column::right("n")];
    let columns = first.into_iter().chain(columns).chain([Column::right("ratio to native")]);
    Table::new("The kubelets' calls for a pod, medians", columns).with(cells.iter().map(row))
}

/// What a row's cell is of what it is compared with, by the row's metric.
fn ratio(run: &Run, cell: &CaseSummary) -> String {
    let is_its = |row: &&Comparison| row.metric == cell.metric && row.bench == cell.bench && row.case == cell.case;
    let comparison = run.summary.comparisons.iter().find(|row| is_its(row) && row.n > 0);
    comparison
        .map_or_else(String::new, |row| Rounded::new(row.ratio, interval(row.ci_low, row.ci_high)).with_brackets())
}

fn pulled(run: &Run, cells: &[&CaseSummary]) -> Table {
    let row = |cell: &&CaseSummary| {
        let took = Rounded::ms(cell.median, interval(cell.ci_low, cell.ci_high)).with_brackets();
        Row::of([cell.bench.clone(), cell.case.clone(), cell.n.to_string(), took, ratio(run, cell)])
    };
    let columns = [
        Column::left("bench"),
        Column::left("case"),
        Column::right("n"),
        Column::right("median [low, high]").unit("ms"),
        Column::right("ratio to native"),
    ];
    Table::new("Images pulled by nodes that never had them", columns).with(cells.iter().map(row))
}

/// Ratios over nodes: of which rows, and what the two columns of what is divided are called.
fn nodes(title: &str, across: &[&AcrossNodes], of: impl Fn(&AcrossNodes) -> &[NodesRatio], what: &str) -> Table {
    let row = |bench: &AcrossNodes, ratio: &NodesRatio| {
        let measured = match bench.metric.as_str() {
            HEADLINE => "asked until ended",
            job::PULLED => "image pulled",
            _ => "the kubelets' calls",
        };
        let shown = Rounded::new(ratio.ratio, interval(ratio.ci_low, ratio.ci_high)).with_brackets();
        let names = [bench.bench.as_str(), measured, &ratio.of, &ratio.to].map(str::to_owned);
        Row::of(names.into_iter().chain([ratio.n.to_string(), shown]))
    };
    let rows = across.iter().flat_map(|bench| of(bench).iter().map(|ratio| row(bench, ratio)));
    let columns = [
        Column::left("bench"),
        Column::left("measured"),
        Column::left(what),
        Column::left("divided by"),
        Column::right("n"),
        Column::right("ratio [low, high]"),
    ];
    Table::new(title, columns).with(rows)
}

//! What is asked for of first use, with the files and compilers that it needs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::Prepared;
use super::node::NodeDaemon;
use crate::cli::FirstUseArgs;
use crate::matrix::Matrix;
use crate::plan::Plan;
use crate::session::request::{Compilation, FirstUseRequest};
use results::Role;
use results::case::Kind;

impl Prepared {
    /// The request for first use, whose samples go into a file; `None` where it was not asked for.
    pub fn first_use(
        &self,
        (matrix, plan): (&Matrix, &Plan),
        args: &FirstUseArgs,
        samples: PathBuf,
    ) -> Option<FirstUseRequest> {
        if !args.first_use {
            return None;
        }
        let headline = plan.benches.iter().position(|bench| bench.role == Some(Role::Headline));
        let kinds: BTreeSet<Kind> = plan.cells.iter().map(|cell| cell.case.form).collect();
        let compilation = |form: Kind| {
            let (_, compile) = matrix.compile(form)?;
            Some(Compilation { form, program: self.program(&compile.program).ok()?, args: compile.args.clone() })
        };
        Some(FirstUseRequest {
            rounds: args.rounds(),
            links: args.links(),
            bench: headline.unwrap_or(0),
            files: self.node((matrix, plan), NodeDaemon::Ours).paths,
            compilations: kinds.into_iter().filter_map(compilation).collect(),
            samples,
        })
    }
}

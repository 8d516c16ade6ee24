//! What a run on a cluster came to over its nodes.

use serde::{Deserialize, Serialize};

/// One metric of a bench that was run on several nodes of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcrossNodes {
    /// The bench, without a node.
    pub bench: String,
    /// What was measured.
    pub metric: String,
    /// The nodes, in the order of the run.
    pub nodes: Vec<String>,
    /// Case over what it is compared with: in each round the geometric mean of the nodes' ratios.
    pub pooled: Vec<NodesRatio>,
    /// Node over the first node: in each round the geometric mean of the cases' ratios.
    pub between: Vec<NodesRatio>,
}

/// A ratio of all nodes together, or of two of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodesRatio {
    /// The case, or the node.
    pub of: String,
    /// What it is divided by.
    pub to: String,
    /// Rounds in which everything has a sample.
    pub n: usize,
    /// Median over rounds.
    pub ratio: Option<f64>,
    /// Lower end of its interval.
    pub ci_low: Option<f64>,
    /// Upper end of its interval.
    pub ci_high: Option<f64>,
    /// The confidence that the interval achieves.
    pub confidence: Option<f64>,
}

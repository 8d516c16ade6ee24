//! What two runs are compared by.

use clap::{Args, ValueEnum};

use super::values::{percent, percent_from_0};

/// `compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// The run to compare with: its folder, its name, or the beginning of its name
    pub run_a: String,
    /// The run that is compared, likewise
    pub run_b: String,
    /// Exit with 4 when a case is slower by more than this, and its whole interval agrees [range: above 0 to 1000]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
    pub fail_above: Option<f64>,
    /// With `--fail-above`: exit with 4 also when a case's interval does not decide it
    #[arg(long, requires = "fail_above")]
    pub strict: bool,
    /// Exit with 4 when a binary or an image is greater by more than this; 0 allows no growth [range: 0 to 1000]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent_from_0)]
    pub fail_size_above: Option<f64>,
    /// The difference that does not matter [default: the greater of the two runs'] [range: above 0 to 1000]
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true, value_parser = percent)]
    pub delta: Option<f64>,
    /// Compare although machine or stack differ
    #[arg(long)]
    pub unlike: bool,
    /// How to write the result
    #[arg(long, value_enum, default_value = "text")]
    pub format: CompareFormat,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompareFormat {
    /// For a person.
    Text,
    /// For a pull request.
    Markdown,
    /// For a program.
    Json,
}

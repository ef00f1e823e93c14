//! Figures of training runs as SVG in one style, and tables of results.
//!
//! [`learning_curves()`], [`diagnostics()`], [`distributions()`], [`results()`] and [`summarize()`] read the folders of runs,
//! also of those that are still running. [`estimates`], [`improvement`] and [`profile`] are the statistics of a summary. [`projection`], [`distribution_grid`], [`target_and_prediction`], [`q_over_best`] and
//! [`speeds()`] draw the numbers they are given. A figure is an [`Svg`], which can be written to a file or put into a
//! page of HTML as it is; the same numbers always give the same bytes.
//!
//! ```
//! use prism_report::{Comparison, target_and_prediction};
//!
//! let figure = target_and_prediction(
//!     "After 1,000 updates",
//!     &[-1.0, 0.0, 1.0],
//!     &[Comparison { title: "winning".to_owned(), target: vec![0.0, 0.1, 0.9], prediction: vec![0.1, 0.2, 0.7] }],
//! );
//! assert!(figure.as_str().starts_with("<svg "));
//! let folder = tempfile::tempdir()?;
//! figure.write(&folder.path().join("winning.svg"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod axis;
mod bars;
mod curve;
mod diagnostics;
mod distributions;
mod draw;
mod error;
mod estimates;
mod figure;
mod group;
mod human;
mod learning_curves;
pub mod observations;
mod results;
mod series;
mod speeds;
mod style;
mod summary;
mod svg;
mod thin;

pub use bars::{
    BestAction, Comparison, DistributionRow, Projection, distribution_grid, projection, q_over_best,
    target_and_prediction,
};
pub use diagnostics::diagnostics;
pub use distributions::{DistributionOptions, Show, distributions};
pub use error::{ReportError, UnknownName};
pub use estimates::{Estimate, Statistic, estimates, improvement, profile};
pub use figure::Svg;
pub use group::{Label, LabelError};
pub use human::human_normalised;
pub use learning_curves::{CurveOptions, LearningCurves, learning_curves};
pub use results::{GroupResult, OverSeeds, Results, results};
pub use series::Against;
pub use speeds::{Speed, TaskSpeeds, speeds};
pub use summary::{AgentSummary, Earned, Improvement, RunScore, Summary, SummaryOptions, summarize};

//! What a run found, for people and for scripts.

use super::load::median;
use crate::output::Table;
use serde::Serialize;
use std::collections::BTreeMap;

/// One figure beside its reference.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Permanent name: the figure's, a slash, and its variant where it has several.
    pub name: String,
    /// Median of the rounds, in `unit`.
    pub value: f64,
    /// What is counted.
    pub unit: &'static str,
    /// Median latency in milliseconds; none where no single answer is waited for.
    pub p50_ms: Option<f64>,
    /// The latency that one in a hundred exceeds, in milliseconds.
    pub p99_ms: Option<f64>,
    /// What it is compared with.
    pub reference: &'static str,
    /// Median of the reference's rounds, in `unit`.
    pub reference_value: Option<f64>,
    /// How near the reference it comes: 1 = as good, more = better.
    pub ratio: Option<f64>,
    /// What the ratio should be at least; none = only for scale.
    pub goal_ratio: Option<f64>,
}

impl Figure {
    /// From the rounds of path and reference, of which more is better.
    pub fn rate(name: String, unit: &'static str, rounds: &[f64], reference: (&'static str, &[f64])) -> Self {
        let (value, reference_value) = (median(rounds), median(reference.1));
        let ratio = (reference_value > 0.0).then(|| value / reference_value);
        let reference_value = Some(reference_value);
        Self { name, value, unit, p50_ms: None, p99_ms: None, reference: reference.0, reference_value, ratio, goal_ratio: None }
    }

    /// From the rounds of path and reference, of which less is better: the ratio is the reference over the path.
    pub fn less(name: &str, unit: &'static str, rounds: &[f64], reference: (&'static str, &[f64])) -> Self {
        let figure = Self::rate(name.to_owned(), unit, rounds, reference);
        let ratio = figure.reference_value.filter(|_| figure.value > 0.0).map(|reference| reference / figure.value);
        Self { ratio, ..figure }
    }

    /// A cost that shall stay below a bound: the ratio is the bound over the cost.
    pub fn cost(name: &str, unit: &'static str, value: f64, most: Option<f64>) -> Self {
        let reference = if most.is_some() { "the most that it may be" } else { "none" };
        let ratio = most.filter(|_| value > 0.0).map(|most| most / value);
        let goal_ratio = most.map(|_| 1.0);
        Self { name: name.to_owned(), value, unit, p50_ms: None, p99_ms: None, reference, reference_value: most, ratio, goal_ratio }
    }

    /// With the ratio that it should have.
    #[must_use]
    pub fn with_goal(mut self, ratio: Option<f64>) -> Self {
        self.goal_ratio = ratio;
        self
    }

    /// With latencies: median, and the one that one in a hundred exceeds.
    #[must_use]
    pub fn with_latency(mut self, (p50_ms, p99_ms): (f64, f64)) -> Self {
        (self.p50_ms, self.p99_ms) = (Some(p50_ms), Some(p99_ms));
        self
    }

    /// Whether it comes as near its reference as it should; none without a goal.
    pub fn is_met(&self) -> Option<bool> {
        Some(self.ratio? >= self.goal_ratio?)
    }
}

/// A figure that was not measured.
#[derive(Debug, Clone, Serialize)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What a run found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What it ran on.
    pub machine: BTreeMap<&'static str, String>,
    /// What was measured.
    pub versions: BTreeMap<String, String>,
    /// How much was measured: rounds, milliseconds of a round, payers, invoices.
    pub plan: BTreeMap<&'static str, u64>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What could be measured, but not here.
    pub skipped: Vec<Left>,
}

impl Report {
    /// One row a figure.
    pub fn table(&self) -> Table {
        let columns = ["figure", "value", "unit", "p50_ms", "p99_ms", "reference", "reference_value", "ratio", "goal", "met"];
        let mut table = Table::new("Speed beside the machine's own", &columns);
        let shown = |value: Option<f64>, digits: usize| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
        for figure in &self.figures {
            let digits = if figure.value < 100.0 { 2 } else { 0 };
            table.row(vec![
                figure.name.as_str().into(),
                shown(Some(figure.value), digits).into(),
                figure.unit.into(),
                shown(figure.p50_ms, 2).into(),
                shown(figure.p99_ms, 2).into(),
                figure.reference.into(),
                shown(figure.reference_value, digits).into(),
                shown(figure.ratio, 2).into(),
                shown(figure.goal_ratio, 2).into(),
                figure.is_met().map_or("", |met| if met { "yes" } else { "no" }).into(),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_from_its_ratio_on() {
        let figure = Figure::rate("x".into(), "1/s", &[80.0, 90.0, 70.0], ("y", &[100.0])).with_goal(Some(0.8));
        assert_eq!(figure.is_met(), Some(true));
        assert_eq!(figure.with_goal(Some(0.81)).is_met(), Some(false));
        assert_eq!(Figure::cost("x", "MB", 60.0, Some(120.0)).is_met(), Some(true));
        assert_eq!(Figure::cost("x", "MB", 60.0, None).is_met(), None);
    }

    #[test]
    fn of_what_less_is_better_half_the_reference_is_twice_as_good() {
        let figure = Figure::less("x", "ms", &[10.0], ("y", &[20.0])).with_goal(Some(2.0));
        assert_eq!(figure.is_met(), Some(true));
        assert_eq!(Figure::less("x", "ms", &[40.0], ("y", &[20.0])).with_goal(Some(0.6)).is_met(), Some(false));
    }
}

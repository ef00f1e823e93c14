//! Pictures of runs and speeds, as SVG in one style.
//!
//! What reads run folders or plain numbers is that of [`prism_report`]. Here stands what needs more: [`speeds`] takes what
//! [`crate::bench`] measured, [`projection_of_normal`] computes as learners do.

use burn::tensor::Tensor;
use prism_model::{Device, Support, project, read};
use prism_report::{Projection, Speed, Svg, TaskSpeeds};

use crate::bench::{Measurement, Report, Task};

/// Draws a report: how much of its work a device does in a second, against the size of a batch, on logarithmic scales.
///
/// # Panics
/// When there are no measurements, or a time is not above 0.
pub fn speeds(report: &Report) -> Svg {
    let tasks: Vec<TaskSpeeds> = Task::ALL.into_iter().map(|task| task_speeds(task, &report.measurements)).collect();
    let machine = &report.machine;
    let origin = format!(
        "{}, {} threads; {}, commit {}, {}",
        machine.cpu,
        machine.threads,
        report.program,
        report.commit.as_deref().unwrap_or("unknown"),
        report.date
    );
    prism_report::speeds(&origin, &tasks)
}

fn task_speeds(task: Task, measurements: &[Measurement]) -> TaskSpeeds {
    let speed = |of: &Measurement| Speed {
        subject: of.subject.clone(),
        size: of.batch,
        device: of.device.clone(),
        median: of.rate(of.median),
        // A long time is a low speed.
        low: of.rate(of.high),
        high: of.rate(of.low),
    };
    TaskSpeeds {
        task: task.name().to_owned(),
        unit: unit(task).to_owned(),
        size: if task.counts_agent_steps() { "environments" } else { "batch" }.to_owned(),
        speeds: measurements.iter().filter(|of| of.task == task).map(speed).collect(),
    }
}

fn unit(task: Task) -> &'static str {
    match task {
        Task::Forward => "observations/s",
        Task::Update | Task::Sampling => "transitions/s",
        Task::Projection => "distributions/s",
        Task::Environment | Task::EndToEnd => "agent steps/s",
    }
}

/// Draws what [`project`] does to a normal distribution of mean 0 on the 51 atoms from -10 to 10.
///
/// # Panics
/// When a number is not finite, or so much mass is far outside the support that none is left on it.
pub fn projection_of_normal(reward: f64, discount: f64, deviation: f64, device: &Device) -> Svg {
    let support = Support::new(-10.0, 10.0, 51).expect("these are the paper's");
    let atoms: Vec<f64> = support.values().into_iter().map(f64::from).collect();
    let density: Vec<f64> = atoms.iter().map(|value| (-0.5 * (value / deviation).powi(2)).exp()).collect();
    let total: f64 = density.iter().sum();
    let source: Vec<f64> = density.iter().map(|density| density / total).collect();
    let projected = |discount: f64| {
        let column = |value: f64| Tensor::<1>::from_floats([value], device);
        let source = Tensor::<1>::from_floats(source.as_slice(), device).unsqueeze_dim(0);
        let projected = read(project(column(reward), column(discount), source, &support));
        projected.into_iter().map(f64::from).collect::<Vec<_>>()
    };
    prism_report::projection(&Projection {
        support: &atoms,
        source: &source,
        projected: &projected(discount),
        done: &projected(0.0),
        reward,
        discount,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::examples::{measurement, report};

    #[test]
    fn times_become_speeds_in_the_unit_of_their_task() {
        let measurements =
            [measurement(Task::Forward, "dqn", 8, "flex"), measurement(Task::EndToEnd, "pong", 8, "flex")];
        let forward = task_speeds(Task::Forward, &measurements);
        assert_eq!((forward.unit.as_str(), forward.size.as_str()), ("observations/s", "batch"));
        // Times of 0.95, 1 and 1.05 seconds for 8 observations.
        let [speed] = forward.speeds.as_slice() else { panic!("one speed") };
        assert_eq!((speed.low, speed.median, speed.high), (8.0 / 1.05, 8.0, 8.0 / 0.95));
        let playing = task_speeds(Task::EndToEnd, &measurements);
        assert_eq!((playing.size.as_str(), playing.speeds[0].median), ("environments", 1.0));
    }

    #[test]
    fn a_report_is_drawn_with_the_machine_that_it_is_of() {
        let svg = speeds(&report(vec![measurement(Task::Forward, "dqn", 1, "flex")]));
        for text in ["Abacus 3, 2 threads; ", "forward: dqn</text>", ">flex</text>"] {
            assert!(svg.as_str().contains(text), "{text}");
        }
    }
}

//! Rates, medians and percentiles.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Something that can be done over and over.
pub trait Worker: Send + 'static {
    /// Does it once; `number` is different each time.
    fn step(&mut self, number: u64) -> impl Future<Output = ()> + Send;
}

/// Numbers for steps, never the same twice in one database.
pub type Tickets = Arc<AtomicU64>;

/// How often a second the workers do it, all at once. What is done while they start isn't counted.
pub async fn rate<W: Worker>(workers: Vec<W>, tickets: &Tickets, time: Duration) -> f64 {
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = workers
        .into_iter()
        .map(|mut worker| {
            let (stop, done, tickets) = (stop.clone(), done.clone(), tickets.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    worker.step(tickets.fetch_add(1, Ordering::Relaxed)).await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    tokio::time::sleep(time / 5).await;
    let (from, began) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(time).await;
    let (until, took) = (done.load(Ordering::Relaxed), began.elapsed());
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("a worker fails");
    }
    (until - from) as f64 / took.as_secs_f64()
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A line of figures: each round's, their median, and its ratio to the limit's.
pub fn line(name: &str, unit: &str, values: &[f64], limit: Option<&[f64]>) {
    let each: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
    let ratio = limit.map_or_else(String::new, |limit| {
        // A ratio for each round: what disturbed one measurement most likely disturbed its neighbour.
        let ratios: Vec<f64> = values
            .iter()
            .zip(limit)
            .map(|(value, limit)| value / limit * 100.0)
            .collect();
        format!("  {:4.0} % of it", median(&ratios))
    });
    println!(
        "  {name:<44} {:>8.0} {unit:<3}{ratio}  ({})",
        median(values),
        each.join(" ")
    );
}

pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

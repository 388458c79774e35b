//! What stages take: seconds, which are no result, and visits of edges, which are the same on any machine.
//!
//! In: what a stage tells its observer. Out: `cost.json` in its folder, which no key covers and no later step
//! but a report reads. A stage that is resumed counts on from there.

use super::step_folder::StepFolder;
use crate::processor_seconds;
use crate::train::{Divided, EpochRecord, Event, Observer};
use pcc_diag::Diagnostic;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::time::Instant;

/// The file in a step's folder.
const FILE: &str = "cost.json";

/// What a stage took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spent {
    /// Seconds on the clock; those between an interruption and its resumption don't count.
    pub seconds: f64,
    /// The same at the end of each epoch.
    pub epochs: Vec<f64>,
    /// CPU seconds of all threads, where the system says them; as for `seconds`, the pauses don't count.
    #[serde(default)]
    pub processor: Option<f64>,
    /// The same at the end of each epoch.
    #[serde(default)]
    pub processor_epochs: Vec<Option<f64>>,
    /// Edges times rows that were learned from.
    pub edge_visits: u64,
    /// The problems that it fell apart into, if it did.
    pub divided: Option<Divided>,
}

impl Spent {
    /// What a step took, if it was a stage.
    pub fn read(folder: &StepFolder) -> Option<Self> {
        serde_json::from_str(&folder.read(FILE)?).ok()
    }
}

/// Measures a stage.
pub(super) struct Clock<'f> {
    folder: &'f StepFolder,
    begun: Instant,
    processor_begun: Option<f64>,
    before: Spent,
    spent: RefCell<Spent>,
}

impl<'f> Clock<'f> {
    /// A stage begins, or goes on after so many epochs that are kept.
    pub fn start(folder: &'f StepFolder, kept_epochs: Option<u32>) -> Self {
        let mut spent = kept_epochs.and_then(|_| Spent::read(folder)).unwrap_or_default();
        let n_kept = kept_epochs.unwrap_or(0) as usize;
        spent.epochs.truncate(n_kept);
        spent.processor_epochs.truncate(n_kept);
        let (begun, processor_begun) = (Instant::now(), processor_seconds());
        Clock { folder, begun, processor_begun, before: spent.clone(), spent: RefCell::new(spent) }
    }

    /// An observer that takes note of the time and tells another.
    pub fn watch<'o>(&'o self, observer: &'o mut dyn Observer) -> impl Observer + 'o {
        Watched { clock: self, observer }
    }

    /// Writes what was spent until now.
    pub fn keep(&self) -> Result<(), Diagnostic> {
        let mut spent = self.spent.borrow_mut();
        (spent.seconds, spent.processor) = (self.now(), self.processor());
        let text = serde_json::to_string(&*spent).expect("it has only numbers and lists");
        self.folder.write(FILE, &format!("{text}\n"))
    }

    /// Writes what the whole stage took. The epochs of problems that ran one after the other share the time
    /// evenly: none of them had a time of its own.
    pub fn finish(&self, edge_visits: u64) -> Result<(), Diagnostic> {
        {
            let (now, processor) = (self.now(), self.processor());
            let mut spent = self.spent.borrow_mut();
            spent.edge_visits = edge_visits;
            let n = spent.epochs.len() as f64;
            if spent.divided.is_some() {
                let share = |i: i32| f64::from(i) / n;
                (1..).zip(&mut spent.epochs).for_each(|(i, seconds)| *seconds = now * share(i));
                (1..)
                    .zip(&mut spent.processor_epochs)
                    .for_each(|(i, seconds)| *seconds = processor.map(|all| all * share(i)));
            }
        }
        self.keep()
    }

    fn now(&self) -> f64 {
        self.before.seconds + self.begun.elapsed().as_secs_f64()
    }

    fn processor(&self) -> Option<f64> {
        let own = processor_seconds()? - self.processor_begun?;
        // A stage that was begun by a version that did not measure it has no whole time to tell.
        match self.before.seconds > 0.0 {
            true => Some(self.before.processor? + own),
            false => Some(own),
        }
    }

    fn note(&self, event: &Event) {
        match event {
            Event::Epoch(_) => {
                let mut spent = self.spent.borrow_mut();
                spent.epochs.push(self.now());
                spent.processor_epochs.push(self.processor());
            }
            Event::Divided(divided) => self.spent.borrow_mut().divided = Some(*divided),
            _ => {}
        }
    }
}

struct Watched<'o> {
    clock: &'o Clock<'o>,
    observer: &'o mut dyn Observer,
}

impl Observer for Watched<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.clock.note(&event);
        self.observer.event(event);
    }

    fn is_cancelled(&self) -> bool {
        self.observer.is_cancelled()
    }
}

/// The visits of all epochs.
pub(super) fn visits_of(history: &[EpochRecord]) -> u64 {
    history.iter().map(|record| record.edge_visits).sum()
}

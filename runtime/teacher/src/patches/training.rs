//! Training a network on rows of pictures, epoch by epoch, so that it can be interrupted after any of them.
//!
//! A batch is cut into shards of fixed size. Threads compute the gradients of shards, which are added up in their
//! order, and every random number is keyed by seed, epoch and shard: so the number of threads changes no bit of the
//! weights, nor does an interruption. After each epoch all of it is kept under the teacher's key.

use super::adam::Adam;
use super::weights::{Matrix, start, total, variables};
use crate::kept::Kept;
use crate::networks::{Doing, Progress};
use crate::threads::each;
use candle_core::Tensor;
use pcc_runtime::train::{Purpose, Stream};
use std::time::Instant;

/// Rows whose gradient one thread computes.
const SHARD: usize = 8;

/// The share of the steps in which the rate rises.
const WARM_UP: f64 = 0.05;
/// The rate falls to this share of its peak.
const FLOOR: f64 = 0.1;

/// A network that can be trained.
pub(crate) trait Student: Sync {
    /// Its weights, and how they start.
    fn matrices(&self) -> Vec<Matrix>;

    /// The largest learning rate.
    fn peak_rate(&self) -> f64;

    /// What some rows say: the mean loss of their values, and notes for [`Student::end_of_batch`].
    ///
    /// # Errors
    /// What the network library reports.
    fn lesson(&self, weights: &[Tensor], rows: &[usize], stream: &mut Stream) -> candle_core::Result<Lesson>;

    /// What besides the weights is learned, if anything is.
    fn memory(&self) -> Vec<f32> {
        Vec::new()
    }

    /// Takes up what was kept of [`Student::memory`].
    fn remember(&mut self, _memory: &[f32]) {}

    /// Learns from the notes of a batch, the sum over its shards. `left` is the share of training that is left.
    ///
    /// # Errors
    /// What the network library reports.
    fn end_of_batch(&mut self, _batch: Batch) -> candle_core::Result<()> {
        Ok(())
    }
}

/// What some rows say.
pub(crate) struct Lesson {
    /// The mean loss.
    pub(crate) loss: Tensor,
    /// Sums that are no gradients.
    pub(crate) notes: Vec<f32>,
}

/// A batch that was learned from.
pub(crate) struct Batch<'b> {
    /// The weights after it.
    pub(crate) weights: &'b [f32],
    /// Its rows.
    pub(crate) rows: &'b [usize],
    /// The sum of the notes.
    pub(crate) notes: &'b [f32],
    /// The share of training that is left.
    pub(crate) left: f64,
    /// Random numbers of this batch.
    pub(crate) stream: Stream,
}

/// How long and on what a network is trained.
pub(crate) struct Course<'c> {
    /// The teacher's name.
    pub(crate) teacher: &'c str,
    /// A key of everything that the weights depend on.
    pub(crate) key: &'c str,
    pub(crate) epochs: u32,
    pub(crate) batch: u32,
    pub(crate) n_rows: usize,
    pub(crate) seed: u64,
    pub(crate) kept: &'c Kept,
}

/// Where training stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) epochs_done: u32,
    /// The mean loss of the last epoch.
    pub(crate) loss: f32,
    pub(crate) weights: Vec<f32>,
    adam: Adam,
    pub(crate) memory: Vec<f32>,
}

impl Course<'_> {
    /// Trains a network to the end, from where it was left.
    ///
    /// # Errors
    /// What the network library reports, and losses that are not finite, in words.
    pub(crate) fn train(
        &self,
        student: &mut impl Student,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<State, String> {
        self.train_until(student, self.epochs, watch)
    }

    /// Trains a network to the end of an epoch.
    ///
    /// # Errors
    /// As [`Course::train`].
    pub(crate) fn train_until(
        &self,
        student: &mut impl Student,
        last_epoch: u32,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<State, String> {
        let matrices = student.matrices();
        let mut state = self.begin(student, &matrices);
        student.remember(&state.memory);
        let (begun, first) = (Instant::now(), state.epochs_done);
        let seconds_left = |epochs_done: f64| {
            let done = epochs_done - f64::from(first);
            begun.elapsed().as_secs_f64() / done * (f64::from(last_epoch) - epochs_done)
        };
        while state.epochs_done < last_epoch {
            self.epoch(student, &matrices, &mut state, &mut |epoch: f64, loss: f32| {
                watch(&Progress {
                    teacher: self.teacher,
                    doing: Doing::Learning { epoch: epoch.ceil() as u32, epochs: self.epochs, loss },
                    seconds_left: Some(seconds_left(epoch)),
                });
            })?;
            state.memory = student.memory();
            self.keep(&state);
        }
        Ok(state)
    }

    /// Epochs that are to be done, and seconds that a row of one takes, from a batch that was timed.
    ///
    /// # Errors
    /// As [`Course::train`].
    pub(crate) fn left(&self, student: &impl Student) -> Result<(u32, f64), String> {
        let matrices = student.matrices();
        let state = self.begin(student, &matrices);
        let rows: Vec<usize> = (0..self.n_rows.min(self.batch as usize)).collect();
        let begun = Instant::now();
        self.batch(student, &matrices, &state.weights, &rows, [0, 0])?;
        Ok((
            self.epochs - state.epochs_done.min(self.epochs),
            begun.elapsed().as_secs_f64() / rows.len() as f64,
        ))
    }

    fn epoch(
        &self,
        student: &mut impl Student,
        matrices: &[Matrix],
        state: &mut State,
        watch: &mut dyn FnMut(f64, f32),
    ) -> Result<(), String> {
        let epoch = state.epochs_done;
        let mut rows: Vec<usize> = (0..self.n_rows).collect();
        Stream::new(self.seed, Purpose::Teach, &[1, epoch.into()]).shuffle(&mut rows);
        let n_batches = rows.len().div_ceil(self.batch as usize);
        let mut loss = 0.0;
        for (number, rows) in rows.chunks(self.batch as usize).enumerate() {
            let step = epoch * n_batches as u32 + number as u32;
            let place = [epoch.into(), number as u64];
            let outcome = self.batch(student, matrices, &state.weights, rows, place)?;
            loss += outcome.loss * rows.len() as f64 / self.n_rows as f64;
            let total = f64::from(self.epochs) * n_batches as f64;
            let done = (f64::from(step) + 0.5) / total;
            let rate = (student.peak_rate() * schedule(done)) as f32;
            state.adam.step(&mut state.weights, &outcome.gradient, rate, step + 1);
            let stream = Stream::new(self.seed, Purpose::Teach, &[3, place[0], place[1]]);
            let (weights, notes, left) = (&state.weights, &outcome.notes, 1.0 - done);
            let batch = Batch { weights, rows, notes, left, stream };
            student.end_of_batch(batch).map_err(|error| error.to_string())?;
            watch(f64::from(epoch) + (number + 1) as f64 / n_batches as f64, outcome.loss as f32);
        }
        (state.epochs_done, state.loss) = (epoch + 1, loss as f32);
        Ok(())
    }

    fn batch(
        &self,
        student: &impl Student,
        matrices: &[Matrix],
        weights: &[f32],
        rows: &[usize],
        place: [u64; 2],
    ) -> Result<Outcome, String> {
        let weights = variables(matrices, weights).map_err(|error| error.to_string())?;
        let shards: Vec<&[usize]> = rows.chunks(SHARD).collect();
        let outcomes = each(shards.len(), |shard| {
            let path = [2, place[0], place[1], shard as u64];
            let mut stream = Stream::new(self.seed, Purpose::Teach, &path);
            Outcome::of(student, &weights, shards[shard], &mut stream).map_err(|error| error.to_string())
        })?;
        let mut sum = Outcome::default();
        for (outcome, shard) in outcomes.iter().zip(&shards) {
            sum.add(outcome, shard.len() as f64 / rows.len() as f64);
        }
        match sum.loss.is_finite() && sum.gradient.iter().all(|x| x.is_finite()) {
            true => Ok(sum),
            false => Err("its loss is not finite any more".into()),
        }
    }

    /// Where training was left, or its start.
    fn begin(&self, student: &impl Student, matrices: &[Matrix]) -> State {
        let (n, memory) = (total(matrices), student.memory());
        let kept =
            self.kept.get(&self.state_key()).and_then(|kept| State::of_numbers(&kept, n, memory.len()));
        kept.unwrap_or_else(|| State {
            epochs_done: 0,
            loss: f32::INFINITY,
            weights: start(matrices, self.seed),
            adam: Adam::new(n),
            memory,
        })
    }

    fn keep(&self, state: &State) {
        self.kept.put(&self.state_key(), &state.numbers());
    }

    fn state_key(&self) -> String {
        format!("{}-training", self.key)
    }
}

impl State {
    fn numbers(&self) -> Vec<f32> {
        let head = [self.epochs_done as f32, self.loss];
        [&head[..], &self.weights, &self.adam.first, &self.adam.second, &self.memory].concat()
    }

    fn of_numbers(numbers: &[f32], n: usize, n_memory: usize) -> Option<State> {
        let (head, rest) = numbers.split_at_checked(2)?;
        if rest.len() != 3 * n + n_memory {
            return None;
        }
        let part = |i: usize| rest[i * n..(i + 1) * n].to_vec();
        Some(State {
            epochs_done: head[0] as u32,
            loss: head[1],
            weights: part(0),
            adam: Adam { first: part(1), second: part(2) },
            memory: rest[3 * n..].to_vec(),
        })
    }
}

/// What a shard or a batch says.
#[derive(Default)]
struct Outcome {
    loss: f64,
    gradient: Vec<f32>,
    notes: Vec<f32>,
}

impl Outcome {
    fn of(
        student: &impl Student,
        weights: &[Tensor],
        rows: &[usize],
        stream: &mut Stream,
    ) -> candle_core::Result<Self> {
        let Lesson { loss, notes } = student.lesson(weights, rows, stream)?;
        let gradients = loss.backward()?;
        let mut gradient = Vec::new();
        for weight in weights {
            match gradients.get(weight) {
                Some(own) => gradient.extend(own.flatten_all()?.to_vec1::<f32>()?),
                None => gradient.resize(gradient.len() + weight.elem_count(), 0.0),
            }
        }
        Ok(Outcome { loss: f64::from(loss.to_scalar::<f32>()?), gradient, notes })
    }

    /// Adds a share of another's means, and all of its notes.
    fn add(&mut self, other: &Outcome, share: f64) {
        self.loss += share * other.loss;
        self.gradient.resize(other.gradient.len(), 0.0);
        self.notes.resize(other.notes.len(), 0.0);
        self.gradient.iter_mut().zip(&other.gradient).for_each(|(sum, x)| *sum += share as f32 * x);
        self.notes.iter_mut().zip(&other.notes).for_each(|(sum, x)| *sum += x);
    }
}

/// The learning rate as a share of its peak, when a share of the steps is done: a straight rise, then a straight
/// fall.
fn schedule(done: f64) -> f64 {
    match done < WARM_UP {
        true => done / WARM_UP,
        false => 1.0 - (1.0 - FLOOR) * (done - WARM_UP) / (1.0 - WARM_UP),
    }
}

//! Learned values on request: from the lock where they are fresh, else learned now and kept there.
//!
//! A value may be learned from another, such as a tree from labels; its key then covers that one's key, so
//! that a change anywhere reaches whatever depends on it.

use super::features::{Asked, FeatureRows, TeacherCost, Teachers, of_tiles, read_array};
use super::labels::{assign, cluster};
use super::{Lock, Locked, View, call_key, chow_liu, half_hash};
use crate::data::{DataSets, Dataset};
use pcc_diag::{Diagnostic, Span};
use pcc_ir::recipe::{
    Codes, Features, Labels, LearnCall, LearnRequest, Learned, Network, Teacher, TeacherView,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// What learning looks at.
pub struct Library<'a> {
    /// Where values are kept.
    pub lock: &'a mut Lock,
    /// The name of the program, since programs in one folder share a lock.
    pub program: &'a str,
    /// Data.
    pub data: &'a mut DataSets,
    /// Networks.
    pub teachers: &'a mut dyn Teachers,
    /// How many threads may work. No value depends on it.
    pub threads: usize,
}

impl Library<'_> {
    /// The value that a request asks for.
    ///
    /// # Errors
    /// Whatever is wrong with the data, the arguments or a teacher, and faults of the lock.
    pub fn learned(&mut self, request: &LearnRequest) -> Result<Learned, Diagnostic> {
        let key = self.key(&request.call, request.span)?;
        let name = format!("{}.{}", self.program, request.name);
        if let Locked::Fresh(value) = self.lock.get(&name, &key)? {
            self.lock.find_seconds(&request.name, &key);
            return Ok(value);
        }
        // What is learned on the way has seconds of its own.
        let others = |lock: &Lock| lock.seconds().values().sum::<f64>();
        let (begun, before) = (Instant::now(), others(self.lock));
        let value = self.learn(&request.call, request.span)?;
        let seconds = begun.elapsed().as_secs_f64() - (others(self.lock) - before);
        self.lock.put(&name, &key, &value)?;
        self.lock.put_seconds(&request.name, &key, seconds.max(0.0));
        Ok(value)
    }

    /// Labels, and their key.
    ///
    /// # Errors
    /// As [`Library::learned`].
    pub fn labels(&mut self, codes: &Codes, span: Span) -> Result<(Labels, String), Diagnostic> {
        let key = self.key(&codes.call, span)?;
        let request = LearnRequest { name: codes.name.clone(), call: codes.call.clone(), span };
        match self.learned(&request)? {
            Learned::Labels(labels) => Ok((labels, key)),
            Learned::Tree(_) | Learned::Trees(_) => {
                let message = format!("`{}` is a tree and labels nothing", codes.name);
                Err(Diagnostic::error("kind-mismatch", message).at(span, ""))
            }
        }
    }

    /// Labels and their key, where they are kept and nothing they depend on has changed. Learns nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the data or a teacher's files, and faults of the lock.
    pub fn kept_labels(&mut self, codes: &Codes, span: Span) -> Result<Option<(Labels, String)>, Diagnostic> {
        let key = self.key(&codes.call, span)?;
        match self.lock.get(&format!("{}.{}", self.program, codes.name), &key)? {
            Locked::Fresh(Learned::Labels(labels)) => Ok(Some((labels, key))),
            _ => Ok(None),
        }
    }

    /// The teacher that a request asks and what that will cost; `None` for a request that asks none, or whose value is
    /// kept. Learns nothing.
    ///
    /// # Errors
    /// Whatever is wrong with the data or a teacher, and faults of the lock.
    pub fn cost<'r>(
        &mut self,
        request: &'r LearnRequest,
    ) -> Result<Option<(&'r Teacher, TeacherCost)>, Diagnostic> {
        let (teacher, view, data) = match &request.call {
            LearnCall::Kmeans { features, .. } | LearnCall::Assign { features, .. } => match features {
                Features::Teacher { teacher, view, data } => (teacher, *view, data),
                Features::Tiles { .. } | Features::Array(_) => return Ok(None),
            },
            LearnCall::TeacherCodes { teacher, data } => (teacher, TeacherView::Codes, data),
            LearnCall::ChowLiu { .. } | LearnCall::ChowLiuOfCodes { .. } => return Ok(None),
        };
        let key = self.key(&request.call, request.span)?;
        if let Locked::Fresh(_) = self.lock.get(&format!("{}.{}", self.program, request.name), &key)? {
            return Ok(None);
        }
        let dataset = self.data.get(data)?;
        let cost = self
            .ask(teacher, request.span, |teachers, asked, own| teachers.cost(asked, view, &dataset, own))?;
        Ok(Some((teacher, cost)))
    }

    fn learn(&mut self, call: &LearnCall, span: Span) -> Result<Learned, Diagnostic> {
        match call {
            LearnCall::ChowLiu { data, options } => {
                let dataset = self.data.get(data.data())?;
                chow_liu::learn(&View::of(&dataset, data, span)?, options, span)
            }
            LearnCall::ChowLiuOfCodes { codes, options } => {
                let (labels, _) = self.labels(codes, span)?;
                let dataset = Dataset::of_labels(&codes.name, &labels);
                chow_liu::learn(&View::whole(&dataset), options, span)
            }
            LearnCall::Kmeans { features, options } => {
                let features = self.features(features, span)?;
                cluster(&features, options, self.threads, span).map(Learned::Labels)
            }
            LearnCall::Assign { codes, features } => {
                let (labels, _) = self.labels(codes, span)?;
                let features = self.features(features, span)?;
                assign(&labels, &features, self.threads, span).map(Learned::Labels)
            }
            LearnCall::TeacherCodes { teacher, data } => {
                let dataset = self.data.get(data)?;
                self.ask(teacher, span, |teachers, asked, own| teachers.codes(asked, &dataset, own))
                    .map(Learned::Labels)
            }
        }
    }

    fn features(&mut self, features: &Features, span: Span) -> Result<FeatureRows, Diagnostic> {
        match features {
            Features::Tiles { data, tiles } => of_tiles(&*self.data.get(data)?, tiles, span),
            Features::Array(source) => {
                read_array(source, &self.data.places(&source.beside), span).map(|(features, _)| features)
            }
            Features::Teacher { teacher, view, data } => {
                let dataset = self.data.get(data)?;
                self.ask(teacher, span, |teachers, asked, own| teachers.features(asked, *view, &dataset, own))
            }
        }
    }

    /// Asks a teacher something, with the data it is trained on at hand.
    fn ask<T>(
        &mut self,
        teacher: &Teacher,
        span: Span,
        ask: impl FnOnce(&mut dyn Teachers, Asked, Option<&Dataset>) -> Result<T, Diagnostic>,
    ) -> Result<T, Diagnostic> {
        let key = self.teacher_key(teacher, span)?;
        let own: Option<Arc<Dataset>> = teacher.data.as_ref().map(|data| self.data.get(data)).transpose()?;
        let places = self.places_of(teacher);
        let asked = Asked { teacher, places: &places, key: &key, span };
        ask(self.teachers, asked, own.as_deref())
    }

    fn places_of(&self, teacher: &Teacher) -> Vec<PathBuf> {
        match &teacher.network {
            Network::Transformer { beside, .. } => self.data.places(beside),
            _ => Vec::new(),
        }
    }

    /// The key of a call's value: that of the call, then that of everything it looks at.
    fn key(&mut self, call: &LearnCall, span: Span) -> Result<String, Diagnostic> {
        let contents = match call {
            LearnCall::ChowLiu { data, .. } => self.data.get(data.data())?.key(),
            LearnCall::ChowLiuOfCodes { codes, .. } => self.key(&codes.call, span)?,
            LearnCall::Kmeans { features, .. } => self.features_key(features, span)?,
            LearnCall::Assign { codes, features } => {
                self.key(&codes.call, span)? + &self.features_key(features, span)?
            }
            LearnCall::TeacherCodes { teacher, data } => {
                self.teacher_key(teacher, span)? + &self.data.get(data)?.key()
            }
        };
        Ok(call_key(call) + &half_hash(&contents))
    }

    fn features_key(&mut self, features: &Features, span: Span) -> Result<String, Diagnostic> {
        match features {
            Features::Tiles { data, .. } => Ok(self.data.get(data)?.key()),
            Features::Array(source) => {
                read_array(source, &self.data.places(&source.beside), span).map(|(_, key)| key)
            }
            Features::Teacher { teacher, data, .. } => {
                Ok(self.teacher_key(teacher, span)? + &self.data.get(data)?.key())
            }
        }
    }

    fn teacher_key(&mut self, teacher: &Teacher, span: Span) -> Result<String, Diagnostic> {
        let own = match &teacher.data {
            Some(data) => self.data.get(data)?.key(),
            None => String::new(),
        };
        let places = self.places_of(teacher);
        let key = self.teachers.key(teacher, &places, span)?;
        Ok(half_hash(&format!("{:?}\0{own}\0{key}", teacher.network)))
    }
}

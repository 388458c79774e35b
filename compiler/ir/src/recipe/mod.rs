//! What a recipe asks for, once names and numbers are settled: data to read, values to learn from it,
//! and the steps that train, evaluate and report. Plain data: the front end makes it, the runtime
//! carries it out. It knows neither syntax nor files, only the words with which the user named them.

mod data;
mod features;
mod learn;
mod step;

pub use data::{DataSource, DataView, Reader, Rows, TextOptions, WeightSource};
pub use features::{
    AutoencoderOptions, Context, EmbeddingSource, Features, Network, Teacher, TeacherView, VqVaeOptions,
    WordVectorOptions,
};
pub use learn::{
    Centres, ChowLiuOptions, Clusters, Codes, KmeansOptions, Labels, LearnCall, LearnRequest, Learned,
    RootChoice, VarTree,
};
pub use step::{
    BatchSize, Change, EmOptions, Evaluate, Fit, LabelSource, Materialize, Metric, Optimizer, Output, Per,
    Plateau, Recipe, Rule, Schedule, Stage, Start, Step, TrainOn,
};

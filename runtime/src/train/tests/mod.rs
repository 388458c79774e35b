//! Learning against closed forms, enumeration and its own promises.

mod anemone;
mod divided;
mod em;
mod fit;
mod mle;
mod regularized;
mod settled;

//! Learning against closed forms, enumeration and its own promises.

mod em;
mod fit;
mod mle;

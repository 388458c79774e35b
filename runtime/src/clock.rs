//! What the processor has spent on this process: on a shared machine time on the wall measures its scheduler too.

/// CPU seconds of this process so far, all its threads together; nothing where the system doesn't say.
#[cfg(unix)]
pub fn processor_seconds() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

/// CPU seconds of this process so far, all its threads together; nothing where the system doesn't say.
#[cfg(not(unix))]
pub fn processor_seconds() -> Option<f64> {
    None
}

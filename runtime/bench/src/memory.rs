//! The most memory that this process held: Linux tells, and forgets when asked to; elsewhere it is not known.

use std::fs;

/// Starts the peak anew, at what the process holds now.
pub fn forget_peak() {
    // Where it can't be reset the peak is that of the whole process: too large, never too small.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most megabytes (10^6 bytes) resident since [`forget_peak`].
pub fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_shows_until_it_is_forgotten() {
        let before = peak_megabytes().expect("Linux tells");
        let held = std::hint::black_box(vec![1_u8; 64_000_000]);
        let with = peak_megabytes().expect("Linux tells");
        assert!(with > before + 30.0 && held[63_000_000] == 1, "{before} {with}");
        drop(held);
        forget_peak();
        assert!(peak_megabytes().expect("Linux tells") < with - 30.0);
    }
}

//! Flushing of denormals for the calling thread.
//!
//! Arithmetic on denormals is slow, and the kernels' guards assume that what is under `2^-126` is zero.
//! In: nothing. Out: a guard that puts the thread's mode back when dropped. On other architectures than
//! x86-64 nothing changes: results are then more precise than the contract asks, and the guards as sound.

use std::marker::PhantomData;

/// Keeps denormals off for the thread that made it; dropping it restores the former mode.
#[must_use = "denormals are on again once the guard is dropped"]
pub struct DenormalsOff {
    #[cfg(target_arch = "x86_64")]
    saved: u32,
    /// The mode belongs to a thread, so the guard must not leave it.
    not_send: PhantomData<*const ()>,
}

/// Makes this thread treat denormal inputs and results as zero, for as long as the guard lives.
pub fn denormals_off() -> DenormalsOff {
    #[cfg(target_arch = "x86_64")]
    {
        /// The two bits of MXCSR: denormals are zeros (6), flush to zero (15).
        const DENORMALS_ARE_ZERO_AND_FLUSHED: u32 = 1 << 6 | 1 << 15;
        let saved = control();
        set_control(saved | DENORMALS_ARE_ZERO_AND_FLUSHED);
        DenormalsOff { saved, not_send: PhantomData }
    }
    #[cfg(not(target_arch = "x86_64"))]
    DenormalsOff { not_send: PhantomData }
}

impl Drop for DenormalsOff {
    fn drop(&mut self) {
        #[cfg(target_arch = "x86_64")]
        set_control(self.saved);
    }
}

/// The thread's floating-point control and status register.
#[cfg(target_arch = "x86_64")]
fn control() -> u32 {
    let mut value = 0_u32;
    // SAFETY: the instruction stores four bytes at the address of `value`.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut value, options(nostack, preserves_flags)) };
    value
}

/// Loads the thread's floating-point control and status register.
#[cfg(target_arch = "x86_64")]
fn set_control(value: u32) {
    // SAFETY: the value came from `control` with the two denormal bits changed, so no reserved bit is set
    // and all exceptions stay masked; it reads four bytes at the address of `value`.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &value, options(nostack)) };
}

//! Which kernels this CPU can run, and which it does.
//!
//! In: the CPU's features and `PCC_KERNELS`, both read once. Out: a table. Nothing here computes.

use crate::table::Kernels;
use std::sync::OnceLock;

/// A family of kernels, by the vector instructions it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// 512-bit vectors: AVX-512 F and VL, with FMA.
    Avx512,
    /// 256-bit vectors: AVX2 and FMA.
    Avx2,
    /// Whatever the compiler makes of arrays; runs everywhere.
    Portable,
}

impl Tier {
    /// All tiers, the fastest first.
    pub const ALL: [Tier; 3] = [Tier::Avx512, Tier::Avx2, Tier::Portable];

    /// The name that `PCC_KERNELS` takes.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Avx512 => "avx512",
            Tier::Avx2 => "avx2",
            Tier::Portable => "portable",
        }
    }

    /// Whether this CPU has the tier's instructions.
    pub fn is_supported(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Tier::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && Tier::Avx2.is_supported()
            }
            #[cfg(target_arch = "x86_64")]
            Tier::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Tier::Avx512 | Tier::Avx2 => false,
            Tier::Portable => true,
        }
    }
}

/// The kernels of a tier, or `None` where the CPU lacks it.
pub fn tier(tier: Tier) -> Option<&'static Kernels> {
    if !tier.is_supported() {
        return None;
    }
    match tier {
        #[cfg(target_arch = "x86_64")]
        Tier::Avx512 => Some(&crate::lanes::avx512::KERNELS),
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => Some(&crate::lanes::avx2::KERNELS),
        Tier::Portable => Some(&crate::lanes::portable::KERNELS),
        #[cfg(not(target_arch = "x86_64"))]
        Tier::Avx512 | Tier::Avx2 => None,
    }
}

/// The kernels to use: the fastest tier of this CPU, or the one that `PCC_KERNELS` names.
///
/// The choice is made at the first call and kept. Errors: `PCC_KERNELS` names no tier, or one that this
/// CPU cannot run.
pub fn kernels() -> Result<&'static Kernels, String> {
    static CHOICE: OnceLock<Result<&'static Kernels, String>> = OnceLock::new();
    CHOICE.get_or_init(|| choose(std::env::var_os("PCC_KERNELS").as_deref())).clone()
}

/// The tier for a value of `PCC_KERNELS`.
fn choose(name: Option<&std::ffi::OsStr>) -> Result<&'static Kernels, String> {
    let Some(name) = name else {
        return Tier::ALL.into_iter().find_map(tier).ok_or_else(|| "no tier runs on this CPU".into());
    };
    let Some(wanted) = Tier::ALL.into_iter().find(|t| name == t.name()) else {
        return Err(format!("PCC_KERNELS is `{}`, but must be avx512, avx2 or portable", name.display()));
    };
    tier(wanted).ok_or_else(|| format!("PCC_KERNELS asks for {}, which this CPU lacks", wanted.name()))
}

#[cfg(test)]
mod tests {
    use super::{Tier, choose, tier};
    use std::ffi::OsStr;

    #[test]
    fn an_override_gives_its_tier_or_says_that_the_cpu_lacks_it() {
        for wanted in Tier::ALL {
            match choose(Some(OsStr::new(wanted.name()))) {
                Ok(kernels) => assert_eq!(kernels.tier, wanted),
                Err(message) => {
                    assert!(tier(wanted).is_none());
                    assert!(message.contains(wanted.name()));
                }
            }
        }
    }

    #[test]
    fn an_unknown_override_is_an_error_that_quotes_it() {
        for name in ["", "AVX512", "sse"] {
            let message = choose(Some(OsStr::new(name))).map(|kernels| kernels.tier).unwrap_err();
            assert!(message.contains(&format!("`{name}`")) && message.contains("portable"));
        }
    }
}

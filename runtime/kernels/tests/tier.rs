//! The choice of a tier, and the mode of denormals.

use pcc_kernels::{Tier, denormals_off, kernels, tier};
use std::hint::black_box;

#[test]
fn the_portable_tier_runs_everywhere_and_each_table_knows_its_tier() {
    assert!(tier(Tier::Portable).is_some());
    for each in Tier::ALL {
        assert_eq!(tier(each).map(|kernels| kernels.tier), each.is_supported().then_some(each));
    }
}

#[test]
fn the_choice_is_kept_and_follows_the_environment() {
    let first = kernels();
    match std::env::var("PCC_KERNELS") {
        Err(_) => {
            let fastest = Tier::ALL.into_iter().find(|tier| tier.is_supported());
            assert_eq!(first.as_ref().ok().map(|kernels| kernels.tier), fastest);
        }
        Ok(name) => assert!(first.as_ref().map_or(true, |kernels| kernels.tier.name() == name)),
    }
    assert_eq!(first.map(std::ptr::from_ref), kernels().map(std::ptr::from_ref));
}

#[test]
#[cfg(target_arch = "x86_64")]
fn denormals_are_flushed_while_the_guard_lives() {
    let half = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
    assert!(half() > 0.0);
    {
        let _guard = denormals_off();
        assert_eq!(half().to_bits(), 0);
        {
            let _inner = denormals_off();
        }
        assert_eq!(half().to_bits(), 0, "an inner guard restores what was there before it");
    }
    assert!(half() > 0.0);
}

//! Natural logarithms of scaled numbers, without branches, so that a loop over samples becomes vector code.
//!
//! A mantissa `2^e * m` with `m` in `[1/sqrt 2, sqrt 2)` has the logarithm `e * ln 2 + 2 artanh(s)` with
//! `s = (m - 1) / (m + 1)`, and `artanh(s) = s + s^3 / 3 + s^5 / 5 + ..`, where `s^2 < 0.0295`.

/// Terms of the series that are kept: the next is under 2^-55 of the first.
const TERMS: usize = 10;

/// `ln(mantissa * 2^exponent)`; minus infinity for a mantissa of 0. The mantissa is a normal number or 0, and
/// the exponent an integer.
#[inline(always)]
pub(crate) fn log(mantissa: f32, exponent: f32) -> f64 {
    const SQRT_2: u32 = std::f32::consts::SQRT_2.to_bits() & MANTISSA;
    let bits = mantissa.to_bits();
    let is_upper = u32::from(bits & MANTISSA >= SQRT_2);
    let shift = (bits >> 23) as i32 - 127 + is_upper as i32;
    let m = f64::from(f32::from_bits(bits & MANTISSA | (127 - is_upper) << 23));
    let s = (m - 1.0) / (m + 1.0);
    let square = s * s;
    let mut series = 0.0;
    for term in (0..TERMS).rev() {
        series = series * square + 1.0 / (2 * term + 1) as f64;
    }
    let log = 2.0 * s * series + (f64::from(shift) + f64::from(exponent)) * std::f64::consts::LN_2;
    if mantissa == 0.0 { f64::NEG_INFINITY } else { log }
}

/// The bits of a number's fraction.
const MANTISSA: u32 = (1 << 23) - 1;

#[cfg(test)]
mod tests {
    use super::log;

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        assert_eq!(log(0.0, -1_073_741_824.0), f64::NEG_INFINITY);
        let mut mantissa = 2.0_f32.powi(-126);
        while mantissa < 1e38 {
            for exponent in [-8_388_608.0, -1000.0, -1.0, 0.0, 3.0] {
                let expected = f64::from(mantissa).ln() + exponent * std::f64::consts::LN_2;
                let found = log(mantissa, exponent as f32);
                assert!((found - expected).abs() <= 1e-14 * (1.0 + expected.abs()), "{mantissa} {exponent}");
            }
            mantissa *= 1.003;
        }
        for near_one in [1.0 - 1e-6, 1.0, 1.0 + 1e-6, std::f32::consts::SQRT_2] {
            let expected = f64::from(near_one).ln();
            assert!((log(near_one, 0.0) - expected).abs() <= 1e-15 * expected.abs().max(1e-9), "{near_one}");
        }
    }
}

//! Where numbers lie on an axis, and which of them are written beside it.

use super::Scale;
use pcc_diag::grouped;

/// Ticks that an axis has at most, as far as its decades allow.
const MOST_TICKS: f64 = 6.0;

/// An axis over the numbers that it shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Range {
    /// The range that shows some numbers.
    pub fn around(numbers: impl Iterator<Item = f64>, scale: Scale) -> Self {
        let numbers = numbers.filter(|x| x.is_finite());
        let (least, most) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        // Without a number any range will do.
        let (least, most) = if least <= most { (least, most) } else { (0.0, 1.0) };
        let (low, high) = match scale {
            Scale::Linear => {
                let room = if most > least { 0.06 * (most - least) } else { 0.05 * most.abs().max(1e-3) };
                (least - room, most + room)
            }
            Scale::FromZero => (0.0, if most > 0.0 { most } else { 1.0 }),
            Scale::Decades => {
                let (low, high) = (least.log10().floor(), most.log10().ceil());
                (10_f64.powf(low), 10_f64.powf(high.max(low + 1.0)))
            }
        };
        Range { low, high, scale }
    }

    /// Where a number lies, from 0 to 1.
    pub fn place(&self, x: f64) -> f64 {
        match self.scale {
            Scale::Linear | Scale::FromZero => (x - self.low) / (self.high - self.low),
            Scale::Decades => (x / self.low).log10() / (self.high / self.low).log10(),
        }
    }

    /// The numbers that are written beside it, in order.
    pub fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Decades => {
                let (low, high) = (self.low.log10().round() as i32, self.high.log10().round() as i32);
                (low..=high).map(|decade| 10_f64.powi(decade)).collect()
            }
            Scale::Linear | Scale::FromZero => {
                let step = round_step((self.high - self.low) / MOST_TICKS);
                let (first, last) = ((self.low / step).ceil() as i64, (self.high / step).floor() as i64);
                (first..=last).map(|i| i as f64 * step).collect()
            }
        }
    }

    /// How the ticks are written: with as many digits as tell them apart.
    pub fn words(&self) -> Vec<String> {
        let ticks = self.ticks();
        let step = ticks.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min);
        let is_even = self.scale != Scale::Decades;
        ticks.iter().map(|&tick| in_words(tick, if is_even { step } else { tick })).collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not under `step`.
fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * decade >= step * 0.999_999);
    times.unwrap_or(10.0) * decade
}

fn in_words(number: f64, step: f64) -> String {
    if number.abs() >= 1e6 {
        return compact(number);
    }
    let digits = (-step.min(number.abs().max(step)).log10().floor()).clamp(0.0, 12.0) as usize;
    let fixed = format!("{:.digits$}", number.abs());
    let (whole, rest) = fixed.split_at(fixed.find('.').unwrap_or(fixed.len()));
    let is_zero = fixed.bytes().all(|b| matches!(b, b'0' | b'.'));
    let sign = if number < 0.0 && !is_zero { "\u{2212}" } else { "" };
    format!("{sign}{}{rest}", whole.parse().map_or(whole.into(), grouped))
}

/// A number with three digits at least and a unit: `950`, `12.3 k`, `4.56 G`.
pub fn compact(number: f64) -> String {
    let units = [(1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    // What would round up to a thousand takes the next unit.
    let unit = units.into_iter().find(|(size, _)| number.abs() >= size * 0.9995);
    let (size, unit) = unit.unwrap_or((1.0, ""));
    let scaled = number / size;
    let digits = match scaled.abs() {
        s if s >= 99.95 || unit.is_empty() && scaled.fract() == 0.0 => 0,
        s if s >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{scaled:.digits$}");
    let text = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(numbers: &[f64], scale: Scale) -> Range {
        Range::around(numbers.iter().copied(), scale)
    }

    #[test]
    fn numbers_lie_where_their_logarithms_do() {
        let decades = around(&[2.0, 900.0], Scale::Decades);
        assert_eq!(decades.words(), ["1", "10", "100", "1,000"]);
        assert!((decades.place(10.0) - 1.0 / 3.0).abs() < 1e-12);
        let wide = around(&[0.02, 2e7], Scale::Decades);
        assert_eq!((wide.words()[0].as_str(), wide.words()[10].as_str()), ("0.01", "100 M"));
    }

    #[test]
    fn ticks_are_round_and_told_apart() {
        assert_eq!(around(&[0.0, 93.0], Scale::FromZero).words(), ["0", "20", "40", "60", "80"]);
        assert_eq!(around(&[1.213, 1.262], Scale::Linear).words(), ["1.22", "1.23", "1.24", "1.25", "1.26"]);
        assert_eq!(
            around(&[-2.0, 3.0], Scale::Linear).words(),
            ["\u{2212}2", "\u{2212}1", "0", "1", "2", "3"]
        );
        assert_eq!(around(&[0.0, 4e9], Scale::FromZero).words(), ["0", "1 G", "2 G", "3 G", "4 G"]);
    }

    #[test]
    fn ranges_without_extent_show_their_number() {
        for scale in [Scale::Linear, Scale::FromZero, Scale::Decades] {
            let range = around(&[7.0], scale);
            assert!((0.0..=1.0).contains(&range.place(7.0)), "{scale:?}");
            assert!(!range.ticks().is_empty());
        }
        assert!(around(&[f64::NAN], Scale::Linear).place(0.5).is_finite());
    }

    #[test]
    fn large_numbers_are_short() {
        let words = [0.0, 12.0, 999.6, 1234.0, 99_960.0, 4.56e9, -3e6].map(compact);
        assert_eq!(words, ["0", "12", "1 k", "1.23 k", "100 k", "4.56 G", "-3 M"]);
    }
}

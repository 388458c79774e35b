//! Turns of phrase that messages of all crates share.

/// A count with a comma after every three digits: 1204 is `1,204`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `850 ms`, `12.3 s`, `4 min 5 s`, `1 h 2 min`.
pub fn human_seconds(seconds: f64) -> String {
    let (whole, minutes) = (seconds.round() as u64, (seconds / 60.0).round() as u64);
    // The limits are where the shorter form would round up to a whole one of the next.
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::human_seconds;

    #[test]
    fn counts_have_commas() {
        for (n, text) in [(0, "0"), (999, "999"), (1204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(super::grouped(n), text);
        }
    }

    #[test]
    fn no_part_of_a_time_is_a_whole_one_of_the_next() {
        let times = [0.85, 0.9996, 12.34, 59.96, 119.7, 245.2, 3599.7, 3720.0, 7199.0];
        let words = [
            "850 ms",
            "1.0 s",
            "12.3 s",
            "1 min 0 s",
            "2 min 0 s",
            "4 min 5 s",
            "1 h 0 min",
            "1 h 2 min",
            "2 h 0 min",
        ];
        assert_eq!(times.map(human_seconds), words);
    }
}

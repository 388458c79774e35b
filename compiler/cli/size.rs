//! Amounts of memory as people write them: `8GB`, `512 MiB`, `2000000`.
//!
//! In: a flag's text. Out: bytes. `kB`, `MB`, `GB`, `TB` are powers of ten, `KiB`, `MiB`, `GiB`, `TiB` powers of two.

/// Bytes of a unit, written as people do; capitals don't matter.
const UNITS: [(&str, u64); 9] = [
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// Reads an amount of memory. Errors: in words for the user of the flag.
pub fn bytes(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = (text[..end].trim(), text[end..].trim().to_ascii_lowercase());
    let unit = if unit.is_empty() { "b" } else { &unit };
    let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
    let number: Option<f64> = number.parse().ok().filter(|n: &f64| *n > 0.0);
    match (number, factor) {
        (Some(number), Some(factor)) => Ok((number * factor as f64) as u64),
        _ => Err("an amount of memory is a positive number and a unit, such as 8GB or 512MiB".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn amounts_have_units_of_ten_and_of_two() {
        let wanted = [
            ("4096", 4096),
            ("1.5 kB", 1500),
            ("8GB", 8_000_000_000),
            ("512MiB", 512 << 20),
            ("0.25gib", 1 << 28),
        ];
        for (text, n) in wanted {
            assert_eq!(bytes(text), Ok(n), "{text}");
        }
        for text in ["", "GB", "-1GB", "0", "8 gigabytes", "nan", "8GB8"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}

//! A percentile curve drawn for a terminal, in dots of braille.

use crate::latency::Slots;
use crate::review::text::human_us;
use std::fmt::Write as _;

/// Characters across and down; each holds two by four dots.
const COLUMNS: usize = 64;
const ROWS: usize = 12;
const TICKS: [(f64, &str); 5] = [(0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p99.9"), (0.9999, "p99.99")];

/// Latency (upwards, logarithmic) by percentile (to the right, each nine as wide as the one before). Right of the last
/// percentile that the calls support, the curve is left out.
pub(crate) fn percentile_plot(slots: &Slots, supported: f64) -> String {
    let n = slots.len() as f64;
    let (Some(low), Some(high)) = (slots.value_at_rank(slots.len().div_ceil(50)), slots.value_at_rank(slots.len()))
    else {
        return String::new();
    };
    let nines = |share: f64| -(1.0 - share).max(1e-9).log10();
    let right = nines(supported).max(1.0);
    let (low, high) = (low.max(1) as f64, (high as f64).max(low.max(1) as f64 * 1.2));
    let (across, down) = (COLUMNS * 2, ROWS * 4);
    let height_of = |us: u64| ((us as f64).max(low) / low).ln() / (high / low).ln() * (down - 1) as f64;
    let rows: Vec<Option<usize>> = (0..across)
        .map(|column| {
            let share = 1.0 - 10_f64.powf(-(column as f64) / (across - 1) as f64 * right);
            let us = slots.value_at_rank(((share * n).ceil() as u64).max(1))?;
            Some(down - 1 - (height_of(us).round() as usize).min(down - 1))
        })
        .collect();
    // A step is drawn as a line, not as two dots far apart.
    let is_set = |row: usize, column: usize| {
        let here = rows.get(column).copied().flatten();
        let before = column.checked_sub(1).and_then(|left| rows.get(left)).copied().flatten().or(here);
        here.zip(before).is_some_and(|(here, before)| (here.min(before)..=here.max(before)).contains(&row))
    };
    let mut text = String::new();
    for row in 0..ROWS {
        let label = match row {
            0 => human_us(high as u64),
            r if r == ROWS - 1 => human_us(low as u64),
            r if r == ROWS / 2 => human_us((low.ln().midpoint(high.ln())).exp() as u64),
            _ => String::new(),
        };
        let line: String = (0..COLUMNS).map(|column| braille(&is_set, row * 4, column * 2)).collect();
        let _ = writeln!(text, "{label:>10} ┤{}", line.trim_end_matches('\u{2800}'));
    }
    let mut axis = vec![' '; COLUMNS + 8];
    for (share, name) in TICKS.iter().filter(|(share, _)| nines(*share) <= right + 0.01) {
        let at = (nines(*share) / right * (COLUMNS - 1) as f64) as usize;
        name.chars().enumerate().for_each(|(offset, letter)| axis[at + offset] = letter);
    }
    let axis: String = axis.into_iter().collect();
    let _ = writeln!(text, "{:>10} └{}\n{:>12}{}", "", "─".repeat(COLUMNS), "", axis.trim_end());
    text
}

/// The character of two by four dots (Unicode block Braille Patterns).
fn braille(is_set: &impl Fn(usize, usize) -> bool, row: usize, column: usize) -> char {
    const BITS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
    let set = (0..4).flat_map(|down| (0..2).map(move |across| (down, across)));
    let bits =
        set.filter(|(down, across)| is_set(row + down, column + across)).map(|(down, across)| BITS[down][across]);
    char::from_u32(0x2800 + bits.sum::<u32>()).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_rises_to_the_right_and_ends_where_the_calls_do() {
        let slots = Slots::from_counts((1..=3_000).map(|n| (n * 1_000, 1)));
        let plot = percentile_plot(&slots, 0.999);
        assert!(plot.contains("p99.9") && !plot.contains("p99.99") && plot.contains("3.01 s"), "{plot}");
        let lines: Vec<&str> = plot.lines().collect();
        assert_eq!(lines.len(), ROWS + 2);
        let first_dot = |line: &str| line.chars().skip(12).position(|dot| dot != '\u{2800}' && dot != ' ');
        assert!(first_dot(lines[0]) > first_dot(lines[ROWS - 1]), "{plot}");
        assert_eq!(percentile_plot(&Slots::default(), 0.5), "");
    }
}

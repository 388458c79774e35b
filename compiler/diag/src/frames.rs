//! The calls that led to a fault, shortened for reading.
//!
//! A recursion gives hundreds of frames that differ in numbers only. The innermost call of each callee
//! stays, with a count of the others.

use crate::Frame;

/// How many different callees are told of.
const MOST_SHOWN: usize = 8;

/// One frame that is shown, and how many calls of the same callee it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folded<'a> {
    /// The innermost call of its callee.
    pub frame: &'a Frame,
    /// How many more calls of that callee there are further out.
    pub n_more: usize,
}

impl Folded<'_> {
    /// "while elaborating `Pair[K = 8]`, called from here, after 3 more calls of `Pair`".
    pub fn message(&self) -> String {
        let more = match self.n_more {
            0 => String::new(),
            1 => format!(", after 1 more call of `{}`", name(self.frame)),
            n => format!(", after {n} more calls of `{}`", name(self.frame)),
        };
        format!("while elaborating `{}`, called from here{more}", self.frame.callee)
    }
}

/// The callee without its static arguments.
fn name(frame: &Frame) -> &str {
    frame.callee.split('[').next().unwrap_or("").trim_end()
}

/// The frames that are shown, innermost first.
pub(crate) fn fold(frames: &[Frame]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded> = Vec::new();
    for frame in frames {
        if let Some(same) = folded.iter_mut().find(|f| name(f.frame) == name(frame)) {
            same.n_more += 1;
        } else if folded.len() < MOST_SHOWN {
            folded.push(Folded { frame, n_more: 0 });
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn frame(callee: &str) -> Frame {
        Frame { span: Span::NONE, callee: callee.to_string(), arguments: String::new() }
    }

    #[test]
    fn repeated_callees_are_counted() {
        let mut frames: Vec<Frame> = (0..18).map(|d| frame(&format!("node[d = {d}]"))).collect();
        frames.insert(5, frame("leaf"));
        frames.push(frame("RatSpn[K = 4]"));
        let messages: Vec<String> = fold(&frames).iter().map(Folded::message).collect();
        assert_eq!(
            messages,
            [
                "while elaborating `node[d = 0]`, called from here, after 17 more calls of `node`",
                "while elaborating `leaf`, called from here",
                "while elaborating `RatSpn[K = 4]`, called from here",
            ]
        );
    }
}

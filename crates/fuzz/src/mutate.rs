//! New inputs out of old ones, the same from the same seed: for runs without coverage.

use fastrand::Rng;

/// No input is longer, but for those that stand in a corpus.
const LONGEST: usize = 8 * 1024;

/// An input of the corpus, changed in one to eight places.
pub fn mutate(rng: &mut Rng, corpus: &[Vec<u8>], words: &[&str]) -> Vec<u8> {
    let mut input = rng.choice(corpus).cloned().unwrap_or_default();
    for _ in 0..1 << rng.u8(0..4) {
        change(rng, &mut input, corpus, words);
    }
    input
}

fn change(rng: &mut Rng, input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str]) {
    let at = rng.usize(..=input.len());
    let span = at..(at + length(rng)).min(input.len());
    match rng.u8(0..10) {
        // A piece in, a piece out, a piece for another.
        0 | 1 => {
            let word = rng.choice(words).copied().unwrap_or_default();
            input.splice(at..at, word.bytes());
        }
        2 => {
            let word = rng.choice(words).copied().unwrap_or_default();
            input.splice(span, word.bytes());
        }
        3 | 4 => {
            input.drain(span);
        }
        5 if input.len() < LONGEST => {
            let piece = input[span].to_vec();
            input.splice(at..at, piece);
        }
        6 if input.len() < LONGEST => {
            let other = rng.choice(corpus).map(Vec::as_slice).unwrap_or_default();
            let from = rng.usize(..=other.len());
            let to = (from + length(rng) * 4).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        // A byte for another: any, a neighbour, or one bit.
        7 => set(rng, input, |rng, _| rng.u8(..)),
        8 => set(rng, input, |rng, byte| {
            if rng.bool() {
                byte.wrapping_add(1)
            } else {
                byte.wrapping_sub(1)
            }
        }),
        _ => set(rng, input, |rng, byte| byte ^ (1 << rng.u8(0..8))),
    }
}

/// Short ones more often.
fn length(rng: &mut Rng) -> usize {
    let longest = 1 << rng.u8(1..7);
    rng.usize(..longest)
}

fn set(rng: &mut Rng, input: &mut [u8], to: fn(&mut Rng, u8) -> u8) {
    if !input.is_empty() {
        let at = rng.usize(..input.len());
        input[at] = to(rng, input[at]);
    }
}

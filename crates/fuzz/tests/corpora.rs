//! Every stored input, then so many new ones as fit into a few seconds: the same ones in every
//! run, made from the stored ones.
//!
//! `FUZZ_INPUTS` and `FUZZ_SEED` (numbers) ask for more, or for others.
#![cfg(not(fuzzing))]
#![expect(
    clippy::unwrap_used,
    reason = "a corpus that cannot be read fails its test"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tongbao_fuzz::mutate::mutate;
use tongbao_fuzz::{TARGETS, Target};

/// New inputs for a target. Readers of a few bytes are quick; the whole web side is not.
const INPUTS: u64 = 20_000;
const WHOLE_GATEWAY: u64 = 2_000;

mod corpus {
    macro_rules! of {
        ($name:ident) => {
            #[test]
            fn $name() {
                super::keeps_its_rules(stringify!($name));
            }
        };
    }

    tongbao_fuzz::each_target!(of);
}

fn keeps_its_rules(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let corpus = read(
        &Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(name),
    );
    assert!(!corpus.is_empty(), "corpus/{name} is empty");
    for (path, input) in &corpus {
        let kept = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        assert!(kept.is_ok(), "broken by {}", path.display());
    }
    let inputs: Vec<_> = corpus.into_iter().map(|(_, input)| input).collect();
    let usual = if name == "api" { WHOLE_GATEWAY } else { INPUTS };
    let mut rng = fastrand::Rng::with_seed(number("FUZZ_SEED").unwrap_or(1));
    for _ in 0..number("FUZZ_INPUTS").unwrap_or(usual) {
        let input = mutate(&mut rng, &inputs, target.words);
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            report(target, input);
        }
    }
}

fn read(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    paths.into_iter().map(read).collect()
}

fn report(target: &Target, input: Vec<u8>) -> ! {
    let small = shrunk(target, input);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.broken", target.name));
    std::fs::write(&path, &small).unwrap();
    panic!(
        "{} breaks a rule; the bytes are in {}; put them into corpus/{} with the mending:\n{}",
        target.name,
        path.display(),
        target.name,
        small.escape_ascii()
    );
}

/// Without every piece that can be left out, from halves to single bytes.
fn shrunk(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let mut piece = input.len() / 2;
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut less = input.clone();
            less.drain(at..(at + piece).min(less.len()));
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&less))).is_err() {
                input = less;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    input
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long to run is not the program's business"
)]
fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

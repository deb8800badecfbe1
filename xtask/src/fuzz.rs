//! Inputs led by coverage: the targets of `crates/fuzz` under libFuzzer.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::run::{root, target};

/// What the stable compiler needs to be told so that libFuzzer sees every branch and every
/// comparison. All code here is safe Rust: no sanitizer is needed, and so no nightly.
const COVERAGE: &str = "--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module \
     -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
     -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// An input that takes longer, or more memory, is a failure.
const BOUNDS: &str = "-timeout=5 -rss_limit_mb=1024";

/// Look for inputs that break a rule, led by coverage. Needs a C++ compiler.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// Targets, by the names of their files in `crates/fuzz/src`; all when left out.
    targets: Vec<String>,
    /// How long for each.
    #[arg(long, default_value_t = 120)]
    seconds: u32,
    /// The longest input that is made.
    #[arg(long, default_value_t = 4_096)]
    longest: u32,
    /// Put what was found, as far as it adds coverage, into the stored corpora.
    #[arg(long)]
    keep: bool,
}

impl Fuzz {
    pub(crate) fn run(self) -> Result<()> {
        let corpora = root().join("crates/fuzz/corpus");
        let targets = if self.targets.is_empty() {
            names_in(&corpora)?
        } else {
            self.targets
        };
        for name in targets {
            let stored = corpora.join(&name);
            let found = target().join("fuzz/corpus").join(&name);
            std::fs::create_dir_all(&found)?;
            let seconds = self.seconds;
            let search = format!(
                "{} {} -max_total_time={seconds} -max_len={} -print_final_stats=1 -use_value_profile=1",
                found.display(),
                stored.display(),
                self.longest,
            );
            libfuzzer(&name, &search)?;
            if self.keep {
                let merge = format!("-merge=1 {} {}", stored.display(), found.display());
                libfuzzer(&name, &merge)?;
            }
        }
        Ok(())
    }
}

fn names_in(corpora: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(corpora)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn libfuzzer(name: &str, args: &str) -> Result<()> {
    let broken = target().join("fuzz/broken");
    std::fs::create_dir_all(&broken)?;
    let args = format!(
        "{args} {BOUNDS} -artifact_prefix={}/{name}-",
        broken.display()
    );
    eprintln!("\n> {name}: {args}");
    let status = Command::new("cargo")
        .args([
            "test",
            "--release",
            "--package",
            "tongbao-fuzz",
            "--test",
            "guided",
        ])
        // Build scripts and macros run here, without what only the targets are linked with.
        .args(["--target", &host()?])
        .args(["--", name, "--exact", "--nocapture"])
        .current_dir(root())
        .env("CARGO_TARGET_DIR", target().join("fuzz"))
        .env("RUSTFLAGS", COVERAGE)
        // Fast, and with every assertion.
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .env("BOLERO_LIBFUZZER_ARGS", args)
        .status()
        .context("cargo cannot be started")?;
    ensure!(
        status.success(),
        "{name} breaks a rule: the input is in {}; shrink it, put it into crates/fuzz/corpus/{name} and mend",
        broken.display()
    );
    Ok(())
}

fn host() -> Result<String> {
    let output = Command::new("rustc").arg("-vV").output()?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc says no host")?.to_owned())
}

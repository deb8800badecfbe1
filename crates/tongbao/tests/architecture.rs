//! The house: which crate may use which. Cargo forbids circles; this forbids
//! every other arrow that is not in the picture.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot read the house fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

/// Each floor and those that it uses, the top one first. The program uses what
/// it needs of everything below.
const HOUSE: [(&str, &[&str]); 8] = [
    (
        "tongbao",
        &[
            "web",
            "engine",
            "channels",
            "store",
            "simulator",
            "wire",
            "core",
        ],
    ),
    ("web", &["engine", "store", "core"]),
    ("engine", &["channels", "store", "core"]),
    ("channels", &["wire", "core"]),
    ("store", &["core"]),
    ("simulator", &["wire"]),
    ("wire", &[]),
    ("core", &[]),
];

/// What stands beside the house: looks at it, and nothing of the house looks back.
const BESIDE: [(&str, &[&str]); 3] = [
    (
        "simulation",
        &["engine", "channels", "store", "simulator", "wire", "core"],
    ),
    ("torture", &["simulation", "web", "engine", "store", "core"]),
    (
        "fuzz",
        &[
            "web",
            "engine",
            "channels",
            "store",
            "simulator",
            "wire",
            "core",
        ],
    ),
];

/// What the ground floor will never hold: time, tasks, sockets, databases.
const NOT_ON_THE_GROUND: [&str; 8] = [
    "async-trait",
    "axum",
    "futures",
    "hyper",
    "reqwest",
    "rusqlite",
    "tokio",
    "tracing",
];

#[test]
fn the_house_has_these_crates_and_no_others() {
    let expected: BTreeSet<_> = HOUSE.iter().map(|(name, _)| (*name).to_owned()).collect();
    let found: BTreeSet<_> = std::fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let house: BTreeSet<_> = found
        .iter()
        .filter(|name| BESIDE.iter().all(|(beside, _)| name != beside))
        .cloned()
        .collect();
    assert_eq!(house, expected);
    for (name, below) in BESIDE {
        let allowed = below.iter().map(|below| (*below).to_owned()).collect();
        let used = ours(&manifest(name), &["dependencies", "dev-dependencies"]);
        assert!(used.is_subset(&allowed), "{name} uses {used:?}");
    }
}

#[test]
fn the_arrows_are_those_of_the_picture() {
    for (name, below) in HOUSE {
        let expected: BTreeSet<_> = below.iter().map(|below| (*below).to_owned()).collect();
        let found = ours(&manifest(name), &["dependencies", "build-dependencies"]);
        if name == "tongbao" {
            assert!(found.is_subset(&expected), "{name} uses {found:?}");
        } else {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn tests_look_down_or_at_the_simulator() {
    for (name, _) in HOUSE {
        let mut allowed = everything_below(name);
        allowed.insert("simulator".to_owned());
        let found = ours(&manifest(name), &["dev-dependencies"]);
        assert!(
            found.is_subset(&allowed),
            "the tests of {name} use {found:?}"
        );
    }
}

#[test]
fn every_arrow_is_used_and_every_path_has_its_arrow() {
    for (name, _) in HOUSE {
        let arrows = ours(&manifest(name), &["dependencies", "build-dependencies"]);
        let in_tests = ours(&manifest(name), &["dev-dependencies"]);
        let paths = paths_in(&crates().join(name).join("src"), name);
        let unused: Vec<_> = arrows.difference(&paths).collect();
        assert!(unused.is_empty(), "{name} does not use {unused:?}");
        let allowed = &arrows | &in_tests;
        assert!(
            paths.is_subset(&allowed),
            "{name} has arrows to {allowed:?}, uses {paths:?}"
        );
    }
}

#[test]
fn the_ground_floor_has_no_time_tasks_sockets_or_databases() {
    for name in ["core", "wire"] {
        let used: Vec<_> = all(&manifest(name), "dependencies")
            .into_keys()
            .filter(|dependency| NOT_ON_THE_GROUND.contains(&dependency.as_str()))
            .collect();
        assert!(used.is_empty(), "{name} uses {used:?}");
    }
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn manifest(name: &str) -> Table {
    let path = crates().join(name).join("Cargo.toml");
    std::fs::read_to_string(&path).unwrap().parse().unwrap()
}

fn everything_below(name: &str) -> BTreeSet<String> {
    let (_, direct) = HOUSE.iter().find(|(floor, _)| *floor == name).unwrap();
    let deeper = direct.iter().flat_map(|below| everything_below(below));
    direct
        .iter()
        .map(|below| (*below).to_owned())
        .chain(deeper)
        .collect()
}

/// Our own crates in these tables, by the name behind `tongbao-`.
fn ours(manifest: &Table, tables: &[&str]) -> BTreeSet<String> {
    let dependencies = tables.iter().flat_map(|table| all(manifest, table));
    dependencies
        .filter_map(|(name, details)| {
            // A dependency may be renamed.
            let package = details
                .get("package")
                .and_then(Value::as_str)
                .unwrap_or(&name)
                .to_owned();
            package.strip_prefix("tongbao-").map(str::to_owned)
        })
        .collect()
}

/// Every dependency of that kind, those for one platform alone included.
fn all(manifest: &Table, table: &str) -> BTreeMap<String, Value> {
    let targets = manifest.get("target").and_then(Value::as_table);
    let targets = targets
        .into_iter()
        .flat_map(Table::values)
        .filter_map(Value::as_table);
    std::iter::once(manifest)
        .chain(targets)
        .filter_map(|place| place.get(table)?.as_table())
        .flat_map(|found| found.clone().into_iter())
        .collect()
}

/// Our own crates that appear as paths, `tongbao_core::…`.
fn paths_in(dir: &Path, own: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(paths_in(&path, own));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            found.extend(code.flat_map(paths_of_line).filter(|name| name != own));
        }
    }
    found
}

fn paths_of_line(line: &str) -> Vec<String> {
    let after = line.split("tongbao_").skip(1);
    let names = after.filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        rest[end..]
            .starts_with("::")
            .then(|| rest[..end].to_owned())
    });
    names.collect()
}

//! What the tests need besides Rust: installed when it is missing.

use anyhow::{Context, Result};

use crate::run::{run, succeeds, target};

/// A program, and the system's package that brings it.
struct Package {
    program: &'static str,
    package: &'static str,
}

const PACKAGES: &[Package] = &[
    // The pages are driven in a real browser.
    Package {
        program: "chromium",
        package: "chromium",
    },
    Package {
        program: "chromedriver",
        package: "chromium-driver",
    },
    // Client libraries that nobody here wrote are pointed at the simulator.
    Package {
        program: "python3",
        package: "python3",
    },
    Package {
        program: "node",
        package: "nodejs",
    },
    Package {
        program: "npm",
        package: "npm",
    },
];

/// Pages in Chinese need a font with Chinese in it.
const FONT: &str = "fonts-noto-cjk";

/// The program's clock is set back while it works.
const FAKETIME: &str = "libfaketime";

/// Client libraries from PyPI.
const PYTHON_CLIENTS: &[&str] = &["wechatpy[cryptography]==1.8.18"];

/// Client libraries from npm.
const NODE_CLIENTS: &[&str] = &["wechatpay-axios-plugin@0.9.6"];

/// Installs what is missing.
pub(crate) fn packages() -> Result<()> {
    let mut missing: Vec<_> = PACKAGES
        .iter()
        .filter(|need| !succeeds(need.program, &["--version"]))
        .map(|need| need.package)
        .collect();
    if !succeeds("sh", &["-c", "ls /usr/share/fonts/opentype/noto/*CJK*"]) {
        missing.push(FONT);
    }
    if !succeeds("sh", &["-c", "ls /usr/lib/*/faketime/libfaketime.so.1"]) {
        missing.push(FAKETIME);
    }
    if !succeeds("python3", &["-c", "import venv, ensurepip"]) {
        missing.push("python3-venv");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let sudo = if succeeds("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        ""
    } else {
        "sudo "
    };
    let install = format!(
        "{sudo}apt-get update -qq && {sudo}apt-get install -y -qq --no-install-recommends {}",
        missing.join(" ")
    );
    run("sh", &["-c", &install]).with_context(|| {
        format!(
            "these packages are needed and could not be installed: {}",
            missing.join(", ")
        )
    })
}

/// Installs foreign client libraries under `target`, for Python and for Node.
pub(crate) fn foreign_clients() -> Result<()> {
    python_clients()?;
    node_clients()
}

fn python_clients() -> Result<()> {
    let venv = target().join("foreign-venv");
    let python = venv.join("bin/python").display().to_string();
    let pip = [&["-m", "pip", "install", "--quiet"], PYTHON_CLIENTS].concat();
    if succeeds(&python, &["-c", "import wechatpy"]) {
        return Ok(());
    }
    run(
        "python3",
        &["-m", "venv", "--clear", &venv.display().to_string()],
    )?;
    run(&python, &pip)
}

fn node_clients() -> Result<()> {
    let prefix = target().join("foreign-node");
    if prefix.join("node_modules/wechatpay-axios-plugin").exists() {
        return Ok(());
    }
    let prefix = prefix.display().to_string();
    let install = ["install", "--no-audit", "--no-fund", "--prefix", &prefix];
    run("npm", &[&install, NODE_CLIENTS].concat())
}

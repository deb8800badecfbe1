//! Starts the program and reads what it says.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A directory of its own, where the program finds its configuration and keeps
/// its data.
pub(crate) struct Home(TempDir);

/// What a program that has ended said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A program that runs; killed when dropped.
pub(crate) struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
    /// Where it listens.
    pub(crate) url: String,
}

impl Home {
    /// A gateway on any port that is free, with these settings besides.
    pub(crate) fn new(settings: &str) -> Self {
        let home = Self(TempDir::new().unwrap());
        home.configure(settings);
        home
    }

    pub(crate) fn configure(&self, settings: &str) {
        self.configure_at("127.0.0.1:0", settings);
    }

    /// With an address of its own.
    pub(crate) fn configure_at(&self, listen: &str, settings: &str) {
        let text = format!("listen = {listen:?}\n{settings}");
        std::fs::write(self.path().join("tongbao.toml"), text).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let output = self.command(args).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tongbao"));
        command
            .args(args)
            .current_dir(self.path())
            .stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TONGBAO_") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Starts a gateway and waits until it is ready.
    pub(crate) fn serve(&self) -> Running {
        self.serve_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn serve_with(&self, environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(&["serve"]);
        command.envs(environment.iter().copied());
        let mut running = Running::start(command);
        let ready = running.logs("ready listen=");
        let address = ready.split_once("listen=").unwrap().1;
        running.url = format!("http://{}", address.split(' ').next().unwrap());
        running
    }

    /// Starts the platforms and waits until they are ready.
    pub(crate) fn simulate(&self) -> Running {
        self.simulate_with(&[])
    }

    /// The same with these arguments besides.
    pub(crate) fn simulate_with(&self, more: &[&str]) -> Running {
        let args = [&["simulate", "--listen", "127.0.0.1:0"], more].concat();
        let mut running = Running::start(self.command(&args));
        let greeting = running.says("phone");
        let url = greeting
            .split_whitespace()
            .last()
            .unwrap()
            .trim_end_matches('/');
        url.clone_into(&mut running.url);
        running
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        let url = String::new();
        Self {
            child,
            out,
            err,
            url,
        }
    }

    /// The next line of its output that has `words`.
    pub(crate) fn says(&mut self, words: &str) -> String {
        next(&self.out, words)
    }

    /// The next line of its log that has `words`.
    pub(crate) fn logs(&mut self, words: &str) -> String {
        next(&self.err, words)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// SIGTERM, and what it came to.
    pub(crate) fn stop(mut self) -> (ExitStatus, String, String) {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> (ExitStatus, String, String) {
        let rest = |lines: &Receiver<String>| lines.iter().map(|line| line + "\n").collect();
        let (out, err) = (rest(&self.out), rest(&self.err));
        (self.child.wait().unwrap(), out, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads all the time: a program whose words nobody takes stands still.
fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            if send.send(line.unwrap()).is_err() {
                break;
            }
        }
    });
    receive
}

fn next(lines: &Receiver<String>, words: &str) -> String {
    let mut passed = Vec::new();
    for line in lines {
        if line.to_lowercase().contains(&words.to_lowercase()) {
            return line;
        }
        passed.push(line);
    }
    panic!("it ended without {words:?}; it said {passed:#?}");
}

/// The platforms' ready-made account, as settings of a channel.
pub(crate) async fn settings_of(simulator: &Running) -> String {
    let url = format!("{}/_sim/credentials", simulator.url);
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let credentials: Value = serde_json::from_str(&text).unwrap();
    let of = |name: &str| credentials["wechat"][name].as_str().unwrap().to_owned();
    format!(
        "app_id = {:?}\nmch_id = {:?}\napi_v2_key = {:?}\n",
        of("app_id"),
        of("mch_id"),
        of("api_v2_key")
    )
}

/// A merchant with one channel at the simulator.
pub(crate) async fn shop(simulator: &Running) -> String {
    shop_with(simulator, &settings_of(simulator).await)
}

/// For all tests of the program; good for nothing else.
pub(crate) const API_KEY: &str = "sk_0123456789abcdefghijklmnopqrstuv";

pub(crate) fn shop_with(simulator: &Running, settings: &str) -> String {
    format!(
        "[platforms]\nwechat_pay = {:?}\n[[merchants]]\nname = \"shop\"\napi_key = {API_KEY:?}\n\
         [[merchants.channels]]\nkind = \"wechat_v2\"\nname = \"wechat\"\n\
         [merchants.channels.settings]\n{settings}",
        simulator.url
    )
}

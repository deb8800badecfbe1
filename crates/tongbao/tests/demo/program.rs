//! The program itself, on free ports.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A running demo and the addresses that it printed. Killed when dropped.
pub(crate) struct Demo {
    child: Child,
    pub(crate) shop: String,
    pub(crate) phone: String,
    pub(crate) docs: String,
    /// With the till's key behind the `#`.
    pub(crate) till: String,
    /// The same of another store.
    pub(crate) other_till: String,
    api_key: String,
    /// What it says after its welcome.
    rest: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    /// In a directory of its own that nobody keeps.
    pub(crate) async fn start() -> Self {
        Self::of(&mut command()).await
    }

    pub(crate) async fn start_in(data_dir: &Path) -> Self {
        Self::of(command().arg("--data-dir").arg(data_dir)).await
    }

    async fn of(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            let last = line.starts_with("Ctrl-C");
            printed.push(line);
            if last {
                break;
            }
        }
        let after = |label: &str| {
            let line = printed.iter().find_map(|line| line.split_once(label));
            let (_, rest) = line.unwrap_or_else(|| panic!("no {label} in {printed:#?}"));
            let word = rest.split_whitespace().next().unwrap();
            word.trim_end_matches('/').to_owned()
        };
        Self {
            shop: after("Shop"),
            phone: after("Phone"),
            docs: after("Docs"),
            till: after("Till"),
            other_till: after("Other"),
            api_key: after("TONGBAO_API_KEY="),
            rest: lines,
            child,
        }
    }

    /// Calls the merchant API with the key that was printed.
    pub(crate) async fn ask(&self, path: &str, body: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(self.docs.replace("/docs", path))
            .bearer_auth(&self.api_key)
            .header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().await.unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{status} {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Does something with the simulated phones.
    pub(crate) async fn ask_phone(&self, path: &str, body: &str) -> Value {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(format!("{}{path}", self.phone))
            .header("content-type", "application/json");
        let response = request.body(body.to_owned()).send().await.unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{status} {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    /// The digits that the person shows at a till.
    pub(crate) async fn payment_code(&self, person: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let path = format!("{}/_sim/wallets/{person}/auth_code", self.phone);
        let answer = client.post(path).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["auth_code"].as_str().unwrap().to_owned()
    }

    /// What the person answers to the till's prompt.
    pub(crate) async fn answer_prompt(&self, person: &str, accept: bool) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let path = format!("{}/_sim/wallets/{person}/confirm", self.phone);
        let body = format!("{{\"accept\": {accept}, \"password\": \"123456\"}}");
        let request = client.post(path).header("content-type", "application/json");
        let answer = request.body(body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{status} {text}");
    }

    /// What the person has left, in fen.
    pub(crate) async fn balance(&self, person: &str) -> i64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let path = format!("{}/_sim/wallets/{person}", self.phone);
        let answer = client.get(path).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["balance"].as_i64().unwrap()
    }

    /// Ctrl-C.
    pub(crate) async fn stop(self) -> ExitStatus {
        self.end().await.0
    }

    /// Ctrl-C, and its last words.
    pub(crate) async fn end(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().unwrap().try_into().unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), Signal::INT).unwrap();
        let mut words = String::new();
        while let Some(line) = self.rest.next_line().await.unwrap() {
            words += &line;
            words.push('\n');
        }
        (self.child.wait().await.unwrap(), words)
    }
}

/// On ports that are free.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongbao"));
    command.args([
        "demo",
        "--gateway-port=0",
        "--shop-port=0",
        "--simulator-port=0",
    ]);
    command
}
